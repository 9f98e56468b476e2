// The types of values that read or fill a block in place.
#pragma once

#include "base/state.h"

namespace xichan::python {

/// Creates the types of `ValueType` and adds them to the module. -1 with an exception set.
int add_value_types(PyObject* module, ModuleState& state) noexcept;

}  // namespace xichan::python
