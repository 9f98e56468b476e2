// xichan.Sender.
#pragma once

#include <Python.h>

namespace xichan::python {

extern PyType_Spec sender_spec;

}  // namespace xichan::python
