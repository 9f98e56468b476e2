// How Senders and Receivers end: close(), `with`, shutdown(), wait_closed().
#pragma once

#include <Python.h>

namespace xichan::python {

PyObject* endpoint_close(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept;
PyObject* endpoint_exit(PyObject* self, PyObject* args) noexcept;
PyObject* endpoint_shutdown(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept;
PyObject* endpoint_wait_closed(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept;

extern const char close_doc[];
extern const char shutdown_doc[];
extern const char wait_closed_doc[];
extern const char await_closed_doc[];

}  // namespace xichan::python
