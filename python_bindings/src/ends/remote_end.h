// The type by which endpoints of channels on servers are listed for inspect().
#pragma once

#include <Python.h>

namespace xichan::python {

/// _RemoteEnd(name, side, server): listed until close(), or until it is destroyed.
extern PyType_Spec remote_end_spec;

/// Returns [(name, receives, server, interpreter, thread, file or None, line)]. Null with an exception set.
PyObject* inspect_remote(PyObject*, PyObject*) noexcept;

}  // namespace xichan::python
