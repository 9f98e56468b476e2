// Exceptions that travel through a channel: described as a value before the endpoint that failed is closed, raised as
// the cause of ChannelFailed on the other side.
#pragma once

#include "base/handle.h"

namespace xichan::python {

/// Describes an exception as a cell, which the caller owns. Runs Python code, so it comes before every change of a
/// channel. Always succeeds: an exception that cannot be described in full loses first its details, then its text.
/// Returns with an exception set if the description was interrupted (KeyboardInterrupt); the caller finishes its work
/// and then raises it.
Cell describe_exception(const ModuleState& state, PyObject* error) noexcept;

/// Returns true if the channel of this open handle has failed for its side.
bool has_failed(const Handle* handle) noexcept;

/// Raises as `raise_for` does, but ChannelFailed if a closed channel has failed for the side of this handle. Runs
/// Python code then. Returns null.
PyObject* raise_outcome(const Handle* handle, Status status) noexcept;

}  // namespace xichan::python
