// The table that maps each Status to an exception.
#pragma once

#include "base/state.h"
#include "xichan/status.h"

namespace xichan::python {

/// Loads the exception classes from xichan._errors. -1 with an exception set.
int load_errors(ModuleState& state) noexcept;

/// Raises the exception for `status` (never `ok`) and returns null. `message` replaces the default text.
PyObject* raise(const ModuleState& state, Status status, const char* message = nullptr) noexcept;

}  // namespace xichan::python
