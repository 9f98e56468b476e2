// asyncio: the primitives are here, the coroutines in xichan/_aio.py, which is imported when first used.
#pragma once

#include "base/handle.h"

namespace xichan::python {

PyObject* sender_asend(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept;
PyObject* sender_asend_many(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept;
PyObject* receiver_arecv(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept;
PyObject* receiver_arecv_many(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept;
PyObject* receiver_anext(PyObject* self) noexcept;
PyObject* receiver_anext_view(PyObject* receiver) noexcept;
PyObject* end_aenter(PyObject* self, PyObject*) noexcept;
PyObject* end_aexit(PyObject* self, PyObject* args) noexcept;
PyObject* aselect(PyObject* module, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept;

extern const char asend_doc[];
extern const char asend_many_doc[];
extern const char arecv_doc[];
extern const char arecv_many_doc[];
extern const char aselect_doc[];

/// xichan._core._Notifier and _Watch.
extern PyType_Spec notifier_spec;
extern PyType_Spec watch_spec;

}  // namespace xichan::python
