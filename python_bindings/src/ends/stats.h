// Statistics: the stats() of an endpoint, channels() and memory_stats().
#pragma once

#include <Python.h>

namespace xichan::python {

PyObject* endpoint_stats(PyObject* self, PyObject*) noexcept;
PyObject* list_channels(PyObject* module, PyObject*) noexcept;
PyObject* arena_stats(PyObject* module, PyObject*) noexcept;
extern const char endpoint_stats_doc[];
extern const char list_channels_doc[];
extern const char arena_stats_doc[];

}  // namespace xichan::python
