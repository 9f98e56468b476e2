// xichan.RecordView: an object read in place.
#pragma once

#include <Python.h>

namespace xichan::python {

extern PyType_Spec record_spec;

}  // namespace xichan::python
