// From Status to exception: one table.
#pragma once

#include "base/state.h"
#include "xichan/status.h"

namespace xichan::python {

/// Fetches the exception classes from xichan._errors. -1 with an exception set on failure.
int load_errors(ModuleState& state) noexcept;

/// Sets the exception that stands for `status` (never `ok`) and returns null. `message` replaces the usual text.
PyObject* raise(const ModuleState& state, Status status, const char* message = nullptr) noexcept;

}  // namespace xichan::python
