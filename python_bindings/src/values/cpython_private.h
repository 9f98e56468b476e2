// Functions that are private to CPython but exported. Declared weak and checked for null: without them, slower public
// functions serve.
#pragma once

#include <Python.h>

extern "C" {
// Consume the references to what they store, also on failure.
__attribute__((weak)) int _PyDict_SetItem_Take2(PyDictObject*, PyObject* key, PyObject* value);
__attribute__((weak)) int _PySet_AddTakeRef(PySetObject*, PyObject* key);
// Also fills a frozendict.
__attribute__((weak)) int _PyDict_SetItem_KnownHash_LockHeld(PyDictObject*, PyObject* key, PyObject* value, Py_hash_t);
}

namespace xichan::python {

/// Stores an entry in a dict, consuming both references. -1 with an exception set.
inline int set_entry(PyObject* dict, PyObject* key, PyObject* value) noexcept {
  if (_PyDict_SetItem_Take2 != nullptr) [[likely]]
    return _PyDict_SetItem_Take2(reinterpret_cast<PyDictObject*>(dict), key, value);
  const int result = PyDict_SetItem(dict, key, value);
  Py_DECREF(key);
  Py_DECREF(value);
  return result;
}

/// Adds an item to a set, or to a frozenset that is being made; consumes the reference. -1 with an exception set.
inline int add_item(PyObject* set, PyObject* item) noexcept {
  if (_PySet_AddTakeRef != nullptr) [[likely]]
    return _PySet_AddTakeRef(reinterpret_cast<PySetObject*>(set), item);
  const int result = PySet_Add(set, item);
  Py_DECREF(item);
  return result;
}

}  // namespace xichan::python
