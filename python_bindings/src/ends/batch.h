// The calls that move many values at once.
#pragma once

#include "base/handle.h"

namespace xichan::python {

PyObject* sender_send_many(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept;
PyObject* receiver_recv_many(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept;
PyObject* receiver_drain(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept;

}  // namespace xichan::python
