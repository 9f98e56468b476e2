// xichan.BytesView: bytes read in place.
#pragma once

#include <Python.h>

namespace xichan::python {

extern PyType_Spec bytes_spec;

}  // namespace xichan::python
