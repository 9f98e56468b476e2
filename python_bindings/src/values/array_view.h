#pragma once

#include <Python.h>

namespace xichan::python {

extern PyType_Spec array_spec;

}  // namespace xichan::python
