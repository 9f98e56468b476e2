// Transferring endpoints, queues and views through the standard library and pickle.
#pragma once

#include "base/state.h"

namespace xichan::python {

/// Registers the types with concurrent.interpreters. -1 with an exception set.
int register_with_interpreters(ModuleState& state) noexcept;

/// Registers one type likewise. -1 with an exception set.
int register_type(PyTypeObject* type) noexcept;

/// The __reduce__ of an endpoint.
PyObject* endpoint_reduce(PyObject* self, PyObject*) noexcept;

/// The cancel_tickets() of an endpoint.
PyObject* cancel_tickets(PyObject* self, PyObject*) noexcept;

extern PyType_Spec ticket_spec;

/// The module functions _unpickle_end() and _register_queue().
extern PyMethodDef transport_functions[];

}  // namespace xichan::python
