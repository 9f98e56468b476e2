// xichan.SetView: a set read in place.
#pragma once

#include <Python.h>

namespace xichan::python {

extern PyType_Spec set_spec;

}  // namespace xichan::python
