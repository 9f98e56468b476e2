// The functions behind xichan.trace(), for xichan._trace.
#pragma once

#include <Python.h>

namespace xichan::python {

extern PyMethodDef trace_functions[];

}  // namespace xichan::python
