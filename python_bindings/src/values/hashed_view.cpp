#include "values/hashed_view.h"

#include "base/ref.h"
#include "values/decode.h"
#include "values/key_cell.h"

namespace xichan::python {
namespace {

PyObject*& keys_of(PyObject* self) noexcept { return reinterpret_cast<HashedView*>(self)->keys; }

// Returns a key that equals and hashes as the original: the object itself, or a view of it if its class cannot be
// found.
PyObject* make_key(ModuleState& state, BlockReader reader, const Cell& cell) noexcept {
  PyObject* key = decode_at(state, reader, cell, true);
  if (key != nullptr || !PyErr_ExceptionMatches(state.error(ErrorClass::error))) return key;
  PyErr_Clear();
  return decode_at(state, reader, cell, false);
}

// Returns a dict from the keys to the numbers of their entries. The first of equal keys counts.
Ref number_keys(const View* view) noexcept {
  Ref keys(PyDict_New());
  if (!keys) return keys;
  const BlockReader reader = view->slice.reader();
  const Cell* key_cell = reader.elements(view->slice.cell).data();
  const std::uint64_t entries = view->slice.cell.entries();
  for (std::uint64_t i = 0; i < entries; ++i, key_cell += view->slice.cell.entry_cells()) {
    const Ref key(make_key(*view->state, reader, *key_cell));
    if (!key) return Ref();
    const Ref number(PyLong_FromUnsignedLongLong(i));
    if (!number || PyDict_SetDefaultRef(keys.get(), key.get(), number.get(), nullptr) < 0) return Ref();
  }
  return keys;
}

int find_by_python(PyObject* self, PyObject* key, std::uint64_t& entry) noexcept {
  if (PyObject_Hash(key) == -1) return -1;
  if (keys_of(self) == nullptr) {
    Ref made = number_keys(as_view(self));
    if (!made) return -1;
    if (keys_of(self) == nullptr) {  // hashing the keys may have run Python code that came here too
      keys_of(self) = made.release();
      PyObject_GC_Track(self);
    }
  }
  const Ref keys(Py_NewRef(keys_of(self)));
  PyObject* number;
  const int found = PyDict_GetItemRef(keys.get(), key, &number);
  if (found <= 0) return found;
  entry = PyLong_AsUnsignedLongLong(number);
  Py_DECREF(number);
  return 1;
}

}  // namespace

int find_key(PyObject* self, PyObject* key, std::uint64_t& entry) noexcept {
  const View* view = as_view(self);
  KeyCell cell;
  if (cell.set(*view->state, key)) {
    switch (find_entry(view->slice.reader(), view->slice.cell, cell.reader(), cell.cell(), entry)) {
      case Lookup::found: return 1;
      case Lookup::missing: return 0;
      case Lookup::unknown: break;
    }
  }
  return find_by_python(self, key, entry);
}

PyObject* shallow_copy(ModuleState& state, const CellRef& place) noexcept {
  const bool is_dict = place.cell->entry_cells() == 2;
  Ref copy(is_dict ? PyDict_New() : PySet_New(nullptr));
  if (!copy) return nullptr;
  const Cell* cells = place.reader.elements(*place.cell).data();
  for (std::uint64_t left = place.cell->entries(); left > 0; --left, cells += place.cell->entry_cells()) {
    const Ref key(decode_at(state, place.reader, cells[0], false));
    if (!key) return nullptr;
    if (!is_dict) {
      if (PySet_Add(copy.get(), key.get()) < 0) return nullptr;
      continue;
    }
    const Ref value(decode_at(state, place.reader, cells[1], false));
    if (!value || PyDict_SetItem(copy.get(), key.get(), value.get()) < 0) return nullptr;
  }
  return copy.release();
}

Py_ssize_t hashed_length(PyObject* self) noexcept { return entry_count(as_view(self)); }

int hashed_contains(PyObject* self, PyObject* key) noexcept {
  std::uint64_t entry;
  return find_key(self, key, entry);
}

void hashed_dealloc(PyObject* self) noexcept {
  PyObject_GC_UnTrack(self);
  hashed_clear(self);
  view_dealloc(self);
}

int hashed_traverse(PyObject* self, visitproc visit, void* arg) noexcept {
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(keys_of(self));
  return 0;
}

int hashed_clear(PyObject* self) noexcept {
  Py_CLEAR(keys_of(self));
  return 0;
}

}  // namespace xichan::python
