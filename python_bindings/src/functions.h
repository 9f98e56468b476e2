#pragma once

#include <Python.h>

namespace xichan::python {

/// The table of the module's functions.
PyMethodDef* module_methods() noexcept;

}  // namespace xichan::python
