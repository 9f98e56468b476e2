// The repr of views.
#pragma once

#include "values/view.h"

namespace xichan::python {

/// Returns the repr of a view of a container: its type and the repr of its value; of a record, its class and fields, as
/// of a dataclass. Builds and imports no class. A container inside itself is shown as by CPython: [...]. Null with
/// RecursionError, MemoryError or what Python code raised.
PyObject* view_repr(PyObject* self) noexcept;

}  // namespace xichan::python
