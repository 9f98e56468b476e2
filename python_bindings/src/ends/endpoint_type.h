// The base type of Sender and Receiver.
#pragma once

#include <Python.h>

namespace xichan::python {

extern PyType_Spec endpoint_spec;

}  // namespace xichan::python
