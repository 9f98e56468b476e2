// Before a value is encoded: runs the Python code that reduces the objects in it to plain values.
#pragma once

#include "values/reduced.h"

namespace xichan::python {

/// Finds all objects in a value that need Python code to be encoded, also in what stands for other objects, and adds
/// what stands for them to `reduced`. Python code may change the value meanwhile: a walk over it afterwards may find
/// further objects. The caller holds a reference to the value. False with an exception set.
bool prepare(const ModuleState& state, PyObject* value, ReducedValues& reduced) noexcept;

}  // namespace xichan::python
