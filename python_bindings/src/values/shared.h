// xichan.Shared, and share(): a value encoded once, which any number of messages refer to.
#pragma once

#include <Python.h>

namespace xichan::python {

/// The module function share().
extern PyMethodDef share_functions[];

extern PyType_Spec shared_spec;

}  // namespace xichan::python
