// Sends of values with Buffers or Descriptors, which move to the receiver.
#pragma once

#include "base/arguments.h"
#include "base/handle.h"

namespace xichan::python {

/// Continues a send after `encode_to_send` has returned false. If the value has any, sends the cell, else returns
/// null with the exception set.
PyObject* send_moving(Handle* handle, Cell& cell, const Timeout& timeout) noexcept;
PyObject* send_moving_nowait(Handle* handle, const Cell& cell) noexcept;

}  // namespace xichan::python
