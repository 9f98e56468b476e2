// xichan._core._Notifier and _Watch: the primitives that xichan/_aio.py is built on.
#pragma once

#include <Python.h>

namespace xichan::python {

extern PyType_Spec notifier_spec;
extern PyType_Spec watch_spec;

}  // namespace xichan::python
