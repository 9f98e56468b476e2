// The values inside a value.
#pragma once

#include "base/state.h"

namespace xichan::python {

/// Returns the elements of a tuple (the tuple itself) or the parts of a Queue, as a tuple; null for any other value.
/// Borrowed. Runs no Python code: the slot of a Queue is read directly.
PyObject* elements_of(const ModuleState& state, PyObject* value) noexcept;

}  // namespace xichan::python
