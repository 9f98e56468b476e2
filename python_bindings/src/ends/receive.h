// Taking one value, for the calls that take one, many, or the first of several. `copy` is the argument of that name of
// theirs: see decode.h.
#pragma once

#include "base/handle.h"

namespace xichan::python {

/// Whether an earlier call took an item that it could not decode; it is to be delivered first.
inline bool has_unread(const Handle* handle) noexcept { return handle->unread != nullptr && !handle->unread->empty(); }
/// Keeps an item for the next call. Without memory even for that, the item is lost.
void keep_unread(Handle* handle, const Cell& cell) noexcept;
/// Makes room for so many, which keep_unread then cannot lose. False if there is no memory.
bool reserve_unread(Handle* handle, std::size_t count) noexcept;
/// Decodes the oldest of those. Null with MemoryError set; it then stays where it is.
PyObject* deliver_unread(Handle* handle, bool copy) noexcept;
/// Decodes an item just taken, after those. Null with MemoryError set; it then stays with the handle.
PyObject* deliver(Handle* handle, const Cell& cell, bool copy) noexcept;

/// Waits for one item and delivers it. Null with an exception set; or without one, and `finished` set, if the caller
/// gave that and the channel is finished.
PyObject* receive(Handle* handle, const Timeout& timeout, bool copy, bool* finished = nullptr) noexcept;
/// The same without waiting; ChannelEmpty if there is none. Arms the handle's descriptor then.
PyObject* receive_nowait(Handle* handle, bool copy) noexcept;

}  // namespace xichan::python
