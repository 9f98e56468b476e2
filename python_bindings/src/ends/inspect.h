// What xichan.inspect() is made of: the waits, endpoints, channels and interpreters of the process.
#pragma once

#include <Python.h>

namespace xichan::python {

/// Functions that return tuples for xichan._inspecting, which makes the records.
extern PyMethodDef inspect_functions[];

}  // namespace xichan::python
