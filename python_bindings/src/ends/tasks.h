// The task count of xichan.Queue.
#pragma once

#include <Python.h>

namespace xichan::python {

/// The private module functions that xichan/_queue.py calls with the parts of a Queue.
extern PyMethodDef task_functions[];

}  // namespace xichan::python
