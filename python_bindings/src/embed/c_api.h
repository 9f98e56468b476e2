// The C API: functions that C++ programs find in the capsule `xichan._core._C_API`.
#pragma once

#include <Python.h>

namespace xichan::python {

/// Adds the capsule to the module. -1 with an exception set.
int add_c_api(PyObject* module) noexcept;

}  // namespace xichan::python
