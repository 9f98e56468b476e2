// Receiver.views() and its iterator.
#pragma once

#include <Python.h>

namespace xichan::python {

PyObject* receiver_views(PyObject* self, PyObject*) noexcept;

extern PyType_Spec views_spec;

}  // namespace xichan::python
