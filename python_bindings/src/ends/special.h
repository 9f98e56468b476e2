// Sends through a channel with `type=` or `pickle=True`.
#pragma once

#include "base/handle.h"
#include "values/encode.h"

namespace xichan::python {

/// Makes sends of a Sender raise TypeError unless the value is an instance of one of the classes in `types`, a tuple of
/// weak references.
void set_types(Handle* handle, PyObject* types) noexcept;

/// Encodes a value for a Sender that is not plain: it is closed, or checks types, or its channel pickles what is not
/// shareable. Checks that it is open, also after pickling, which runs Python code. False with an exception set.
bool encode_special(Handle* handle, PyObject* value, Cell& cell) noexcept;

/// Encodes a value to be sent, and checks that the Sender is open.
[[gnu::always_inline]] inline bool encode_to_send(Handle* handle, PyObject* value, Cell& cell) noexcept {
  if (handle->endpoint->is_plain()) [[likely]]
    return encode(*handle->state, value, cell);
  return encode_special(handle, value, cell);
}

}  // namespace xichan::python
