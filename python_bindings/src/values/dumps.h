// dumps() and loads(): values that leave the process, as module functions.
#pragma once

#include <Python.h>

namespace xichan::python {

PyObject* dumps(PyObject* module, PyObject* value) noexcept;
PyObject* loads(PyObject* module, PyObject* buffer) noexcept;
extern const char dumps_doc[];
extern const char loads_doc[];

}  // namespace xichan::python
