// xichan.Receiver.
#pragma once

#include <Python.h>

namespace xichan::python {

extern PyType_Spec receiver_spec;

}  // namespace xichan::python
