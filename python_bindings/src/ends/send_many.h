// Sender.send_many().
#pragma once

#include <Python.h>

namespace xichan::python {

PyObject* sender_send_many(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept;

}  // namespace xichan::python
