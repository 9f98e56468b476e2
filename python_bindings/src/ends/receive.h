// Receiving one value, shared by recv(), recv_many() and select(). `copy` is their argument of that name; see decode.h.
#pragma once

#include "base/handle.h"

namespace xichan::python {

/// Returns true if an earlier call received a value that it could not decode. It is delivered first.
inline bool has_unread(const Handle* handle) noexcept { return handle->unread != nullptr && !handle->unread->empty(); }
/// Keeps a received value for the next call. If there is no memory even for that, the value is lost.
void keep_unread(Handle* handle, const Cell& cell) noexcept;
/// Keeps received values for the next calls, before all others that are kept; likewise.
void keep_first(Handle* handle, Cell* cells, std::size_t count) noexcept;
/// Reserves room so that the next `count` calls of keep_unread lose nothing. False if there is no memory.
bool reserve_unread(Handle* handle, std::size_t count) noexcept;
/// Decodes the oldest kept value and returns it. Null with DecodeError set; then the value is dropped, unless
/// `keep_always`. Null with any other exception set; then the value stays kept.
PyObject* deliver_unread(Handle* handle, bool copy, bool keep_always = false) noexcept;
/// Decodes a value just received, after any kept ones. Null with DecodeError set; then the value is dropped. Null with
/// any other exception set; then the value is kept.
PyObject* deliver(Handle* handle, const Cell& cell, bool copy) noexcept;

/// Blocks until a value arrives and returns it. Null with an exception set. If the channel is finished and the caller
/// passed `finished`, sets that instead of raising ChannelClosed.
PyObject* receive(Handle* handle, const Timeout& timeout, bool copy, bool* finished = nullptr) noexcept;
/// Does the same without blocking. If no value is there, raises ChannelEmpty and arms the descriptor of the handle.
PyObject* receive_nowait(Handle* handle, bool copy) noexcept;

}  // namespace xichan::python
