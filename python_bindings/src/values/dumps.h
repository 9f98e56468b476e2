// dumps() and loads(): values as bytes that can leave the process.
#pragma once

#include <Python.h>

namespace xichan::python {

/// The module functions dumps() and loads().
extern PyMethodDef dumps_functions[];

}  // namespace xichan::python
