// Arrays, made of what is in a block.
#pragma once

#include "base/state.h"
#include "values/array_cells.h"

namespace xichan::python {

/// Returns a new array.array, or NumPy array or scalar: a copy. Where NumPy is missing, an ArrayView. Runs Python code:
/// imports the module; without `may_import`, NumPy counts as missing if it is not imported yet. Null with an exception
/// set.
PyObject* make_array(ModuleState& state, const CellRef& place, bool may_import) noexcept;

/// Returns the description of a structured dtype, as NumPy's `descr` has it. Null with an exception set: ValueError if
/// it is none.
Ref describe_structure(ModuleState& state, const CellRef& format) noexcept;

}  // namespace xichan::python
