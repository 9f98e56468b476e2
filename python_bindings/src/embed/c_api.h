// The functions that C++ programs find by `xichan._core._C_API`.
#pragma once

#include <Python.h>

namespace xichan::python {

/// Puts the capsule into the module. -1 with an exception set.
int add_c_api(PyObject* module) noexcept;

}  // namespace xichan::python
