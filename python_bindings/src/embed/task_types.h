// The Python types by which pools run tasks and interrupt them.
#pragma once

#include <Python.h>

namespace xichan::python {

extern PyType_Spec task_board_spec;
extern PyType_Spec task_runner_spec;

}  // namespace xichan::python
