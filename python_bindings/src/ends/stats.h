// Statistics as records of xichan._stats: the stats() of an endpoint, channels() and memory_stats().
#pragma once

#include <Python.h>

namespace xichan::python {

PyObject* endpoint_stats(PyObject* self, PyObject*) noexcept;
/// channels() and memory_stats() of the module.
extern PyMethodDef stats_functions[];

}  // namespace xichan::python
