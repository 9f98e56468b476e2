// The object of ArrayView, an array that is read in place. array_view.cpp has what it does.
#pragma once

#include "values/view.h"

namespace xichan::python {

struct ArrayView {
  View view;
  const void* content;
  Py_ssize_t length;  // of the content, in bytes
  Py_ssize_t item_size;
  int dimensions;
  ArrayKind kind;
  Py_ssize_t* shape;  // owned: the lengths of the dimensions, then the strides
  char format[32];    // of the buffer

  Py_ssize_t* strides() const noexcept { return shape + dimensions; }
};

inline ArrayView* as_array(PyObject* object) noexcept { return reinterpret_cast<ArrayView*>(object); }

/// Returns a new ArrayView of the array at a place. Null with MemoryError set.
PyObject* new_array_view(ModuleState& state, const CellRef& place) noexcept;
/// Returns a read-only memoryview of it, with its format and shape. Runs no Python code. Null with MemoryError set.
PyObject* make_memoryview(ModuleState& state, const CellRef& place) noexcept;

}  // namespace xichan::python
