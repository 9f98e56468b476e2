// xichan.DictView: a dict read in place.
#pragma once

#include <Python.h>

namespace xichan::python {

extern PyType_Spec dict_spec;

}  // namespace xichan::python
