// xichan._core._Notifier and _Watch: the primitives that xichan/_aio.py is built on.
#pragma once

#include <Python.h>

#include "endpoint/watch.h"

namespace xichan::python {

/// Returns the notifier of an object of the type `_Notifier`; null with TypeError set for any other.
xichan::internal::Notifier* notifier_of(PyObject* object) noexcept;

extern PyType_Spec notifier_spec;
extern PyType_Spec watch_spec;

}  // namespace xichan::python
