// Errors that name the right attribute or parameter for what other libraries call it.
#pragma once

#include <Python.h>

namespace xichan::python {

/// `__getattr__` of the endpoints, called for a name that they do not have.
PyObject* endpoint_getattr(PyObject* self, PyObject* name) noexcept;

/// Makes the attributes of a type's instances fall back to its method `__getattr__`, then makes the type immutable. -1
/// with an exception set.
int finish_endpoint_type(PyTypeObject* type) noexcept;

}  // namespace xichan::python
