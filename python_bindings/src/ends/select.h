// select(): perform one of several operations.
#pragma once

#include <Python.h>

namespace xichan::python {

/// The module functions select() and _try_select(). The latter never blocks, and returns None if no case is ready.
extern PyMethodDef select_functions[];

}  // namespace xichan::python
