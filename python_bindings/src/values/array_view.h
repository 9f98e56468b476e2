// ArrayView: an array that is read in place.
#pragma once

#include "values/view.h"

namespace xichan::python {

extern PyType_Spec array_spec;

/// Returns a new ArrayView of the array at a place. Null with MemoryError set.
PyObject* new_array_view(ModuleState& state, const CellRef& place) noexcept;
/// Returns a read-only memoryview of it, with its format and shape. Runs no Python code. Null with MemoryError set.
PyObject* make_memoryview(ModuleState& state, const CellRef& place) noexcept;

}  // namespace xichan::python
