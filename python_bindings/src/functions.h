#pragma once

#include <Python.h>

namespace xichan::python {

/// The functions of the module that belong to no other file.
extern PyMethodDef module_functions[];

}  // namespace xichan::python
