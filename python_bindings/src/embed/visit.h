// Looks into the interpreters of the process, for xichan.deadlocks(): their threads, and calls of functions in them.
#pragma once

#include <Python.h>

namespace xichan::python {

/// `_threads` and `_call_in`.
extern PyMethodDef visit_functions[];

}  // namespace xichan::python
