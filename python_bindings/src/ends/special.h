// Sends through a channel with `type=` or `pickle=True`.
#pragma once

#include "base/handle.h"
#include "values/encode.h"

namespace xichan::python {

/// Makes sends of a Sender raise TypeError unless the value is an instance of one of the classes in `types`, a tuple of
/// weak references.
void set_types(Handle* handle, PyObject* types) noexcept;

/// Encodes a value for a Sender that is not plain: it is closed, or checks types, or its channel pickles what is not
/// shareable. Checks that it is open, also after pickling, which runs Python code. False as `encode_to_send`.
bool encode_special(Handle* handle, PyObject* value, Cell& cell) noexcept;

/// Returns true if the Sender is open; else releases the cell and raises ChannelClosed.
bool keep_if_open(Handle* handle, Cell& cell) noexcept;

/// Returns true if the value is encoded and the Sender open. False as `encode_to_send`.
[[gnu::always_inline]] inline bool is_ready(Handle* handle, Encoded encoded, Cell& cell) noexcept {
  if (encoded == Encoded::yes) [[likely]]
    return true;
  return encoded == Encoded::after_python_code && keep_if_open(handle, cell);
}

/// Does what `encode_to_send` does, for a Sender that is plain and a value that `encode_short` does not encode.
[[gnu::always_inline]] inline bool encode_long_to_send(Handle* handle, PyObject* value, Cell& cell) noexcept {
  return is_ready(handle, encode_block(*handle->state, value, cell, Destination::receiver), cell);
}

/// Encodes a value to be sent, and checks that the Sender is open. False with an exception set; or if the value has
/// Buffers or Descriptors, which is rare: then the cell is encoded, and the caller must take the Transfer
/// (Transfers::take), and check that the Sender is open.
[[gnu::always_inline]] inline bool encode_to_send(Handle* handle, PyObject* value, Cell& cell) noexcept {
  if (!handle->endpoint->is_plain()) [[unlikely]]
    return encode_special(handle, value, cell);
  return encode_short(value, &cell) || encode_long_to_send(handle, value, cell);
}

}  // namespace xichan::python
