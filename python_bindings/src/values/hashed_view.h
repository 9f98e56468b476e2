// What DictView and SetView have in common: entries that are found by a key.
#pragma once

#include "values/view.h"

namespace xichan::python {

/// Returns true for a dict or, on 3.15, a frozendict.
inline bool is_any_dict(PyObject* object) noexcept {
#if PY_VERSION_HEX >= 0x030F0000
  return PyAnyDict_Check(object);
#else
  return PyDict_Check(object);
#endif
}

inline Py_ssize_t entry_count(const View* view) noexcept { return static_cast<Py_ssize_t>(view->slice.cell.entries()); }

/// Finds an entry by its key. Returns 1 and sets `entry`, 0 if there is none, or -1 with an exception set. Reads no
/// other entry if the key and those of the view compare by their content (index.h); else makes all keys, once.
int find_key(PyObject* self, PyObject* key, std::uint64_t& entry) noexcept;

/// Returns a new plain dict or set with the entries at a resolved place, whose keys and values may be views. Null with
/// an exception set.
PyObject* shallow_copy(ModuleState& state, const CellRef& place) noexcept;

Py_ssize_t hashed_length(PyObject* self) noexcept;
int hashed_contains(PyObject* self, PyObject* key) noexcept;
void hashed_dealloc(PyObject* self) noexcept;
int hashed_traverse(PyObject* self, visitproc visit, void* arg) noexcept;
int hashed_clear(PyObject* self) noexcept;

}  // namespace xichan::python
