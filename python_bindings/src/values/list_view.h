// xichan.ListView: a list read in place.
#pragma once

#include <Python.h>

namespace xichan::python {

extern PyType_Spec list_spec;

}  // namespace xichan::python
