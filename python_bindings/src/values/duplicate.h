// Values with duplicates of their Descriptors.
#pragma once

#include <Python.h>

namespace xichan::python {

extern PyMethodDef duplicate_functions[];

}  // namespace xichan::python
