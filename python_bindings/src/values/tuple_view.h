// xichan.TupleView: a tuple read in place.
#pragma once

#include <Python.h>

namespace xichan::python {

extern PyType_Spec tuple_spec;

}  // namespace xichan::python
