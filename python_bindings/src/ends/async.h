// Entry points of the coroutines, which are implemented in xichan/_aio.py. It is imported on first use.
#pragma once

#include <Python.h>

namespace xichan::python {

/// Calls a function of a module with `self` and the arguments of a method. Returns its result, such as a coroutine.
PyObject* delegate(const char* module, const char* name, PyObject* self, PyObject* const* args, Py_ssize_t count,
                   PyObject* keywords) noexcept;

PyObject* sender_asend(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept;
PyObject* sender_asend_many(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept;
PyObject* receiver_arecv(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept;
PyObject* receiver_arecv_many(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept;
PyObject* receiver_anext(PyObject* self) noexcept;
PyObject* receiver_anext_view(PyObject* receiver) noexcept;
PyObject* endpoint_aenter(PyObject* self, PyObject*) noexcept;
PyObject* endpoint_aexit(PyObject* self, PyObject* args) noexcept;
PyObject* endpoint_await_closed(PyObject* self, PyObject*) noexcept;

/// The module function aselect().
extern PyMethodDef aselect_functions[];

}  // namespace xichan::python
