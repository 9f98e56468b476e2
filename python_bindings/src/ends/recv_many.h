// Receiver.recv_many() and drain().
#pragma once

#include <Python.h>

namespace xichan::python {

PyObject* receiver_recv_many(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept;
PyObject* receiver_drain(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept;

}  // namespace xichan::python
