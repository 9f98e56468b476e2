// The built-in containers, and how the encoder visits what is in them. Runs no Python code.
#pragma once

#include <Python.h>

#include "value/cell.h"

namespace xichan::python {

using internal::Cell;
using internal::Tag;

inline bool is_frozendict([[maybe_unused]] const PyTypeObject* type) noexcept {
#if PY_VERSION_HEX >= 0x030f0000
  return type == &PyFrozenDict_Type;
#else
  return false;
#endif
}

/// Returns the tag of a container that is encoded as itself, chosen by its exact type; `Tag::empty` for other values. A
/// range is not among them: its parts are not accessible without making objects.
inline Tag container_tag(PyObject* value) noexcept {
  const PyTypeObject* type = Py_TYPE(value);
  if (type == &PyTuple_Type) return Tag::tuple;
  if (type == &PyList_Type) return Tag::list;
  if (type == &PyDict_Type) return Tag::dict;
  if (type == &PySet_Type) return Tag::set;
  if (type == &PyFrozenSet_Type) return Tag::frozenset;
  if (type == &PyByteArray_Type) return Tag::bytearray;
  if (type == &PyComplex_Type) return Tag::complex;
  if (type == &PySlice_Type) return Tag::slice;
  return is_frozendict(type) ? Tag::frozendict : Tag::empty;
}

/// Returns the number of entries of a dict, frozendict, set or frozenset.
inline std::uint64_t entries_of(PyObject* container, Tag tag) noexcept {
  return static_cast<std::uint64_t>(tag == Tag::dict || tag == Tag::frozendict
                                        ? reinterpret_cast<PyDictObject*>(container)->ma_used
                                        : PySet_GET_SIZE(container));
}

/// Returns the number of cells of a container that is not hashed.
inline std::uint64_t cells_of(PyObject* container, Tag tag) noexcept {
  switch (tag) {
    case Tag::bytearray: return 1;
    case Tag::complex: return 2;
    case Tag::slice: return 3;
    default: return static_cast<std::uint64_t>(Py_SIZE(container));  // of a list or tuple
  }
}

/// Calls `visit(item)` for each object in a container, in the order of its cells, until a call returns false; returns
/// false then. A bytearray and a complex have no objects in them.
template <class Visit>
[[gnu::always_inline]] inline bool visit_items(PyObject* container, Tag tag, Visit visit) noexcept {
  PyObject** items;
  switch (tag) {
    case Tag::tuple: items = reinterpret_cast<PyTupleObject*>(container)->ob_item; break;
    case Tag::list: items = reinterpret_cast<PyListObject*>(container)->ob_item; break;
    case Tag::slice: items = &reinterpret_cast<PySliceObject*>(container)->start; break;  // `stop` and `step` follow
    case Tag::dict:
    case Tag::frozendict: {
      PyObject* entry[2];
      for (Py_ssize_t at = 0; PyDict_Next(container, &at, &entry[0], &entry[1]) != 0;) {
        for (PyObject* item : entry) {
          if (!visit(item)) return false;
        }
      }
      return true;
    }
    case Tag::set:
    case Tag::frozenset: {
      const auto* set = reinterpret_cast<PySetObject*>(container);
      for (Py_ssize_t i = 0; i <= set->mask; ++i) {
        const setentry& entry = set->table[i];
        const bool is_used = entry.key != nullptr && entry.hash != -1;
        if (is_used && !visit(entry.key)) return false;
      }
      return true;
    }
    default: return true;
  }
  const std::uint64_t length = cells_of(container, tag);
  for (std::uint64_t i = 0; i < length; ++i) {
    if (!visit(items[i])) return false;
  }
  return true;
}

}  // namespace xichan::python
