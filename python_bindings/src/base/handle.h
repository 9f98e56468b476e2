// The Python object that holds one endpoint: what Sender and Receiver have in common.
#pragma once

#include "base/arguments.h"
#include "base/errors.h"
#include "base/state.h"
#include "base/worklist.h"

namespace xichan::python {

/// Values that were received but not delivered: because memory was exhausted, or a call was interrupted. The next
/// receive returns them. A cell with a line owns a copy of it, made with `new`: blocks may be used up, too.
using Unread = Worklist<Cell, 1>;

/// An unread value that is decoded already: an object, of which the cell owns a reference.
inline Cell decoded_cell(PyObject* object) noexcept {
  return Cell::of(Tag::empty, 0, reinterpret_cast<std::uintptr_t>(object));
}
inline bool is_decoded(const Cell& cell) noexcept { return cell.tag() == Tag::empty; }
inline PyObject* decoded_object(const Cell& cell) noexcept {
  return reinterpret_cast<PyObject*>(static_cast<std::uintptr_t>(cell.word));
}

struct Handle {
  PyObject_HEAD
  PyObject* weak_references;
  ModuleState* state;  // of the module that holds the type, which this object keeps alive
  Endpoint* endpoint;  // never null
  Unread* unread;      // usually null
  PyObject* types;     // of a Sender with channel(type=): weak references to the classes it accepts; usually null
};

inline Handle* as_handle(PyObject* object) noexcept { return reinterpret_cast<Handle*>(object); }

inline bool is_handle(const ModuleState& state, PyObject* object) noexcept {
  return Py_IS_TYPE(object, state.sender_type) || Py_IS_TYPE(object, state.receiver_type);
}

/// Returns a new handle that takes over one counted endpoint, also on failure. Null with an exception set.
PyObject* new_handle(ModuleState& state, Channel* channel, Side side) noexcept;

/// Releases a value that was in `unread`.
void release_unread(const Cell& cell) noexcept;
/// Releases the values in `unread`.
void drop_unread(Handle* handle) noexcept;

/// Raises the exception for an operation of this handle that ended with `status`, with the reason if the channel is
/// closed. Returns null.
PyObject* raise_for(const Handle* handle, Status status) noexcept;

/// Makes an endpoint and the calling thread record, for the interpreter of the handle.
void begin_tracing(const Handle* handle) noexcept;

/// Raises ChannelClosed and returns false if the handle is closed.
inline bool check_open(const Handle* handle) noexcept {
  if (!handle->endpoint->is_closed()) [[likely]]
    return true;
  raise_for(handle, Status::end_closed);
  return false;
}

/// Called by a call on an open handle: while a trace records, makes the endpoint record its messages.
inline void follow_trace(const Handle* handle) noexcept {
  if (is_traced()) [[unlikely]]
    begin_tracing(handle);
}

/// Does the same as `check_open`, for a call that receives, which a trace records. As fast.
inline bool check_receiver(const Handle* handle) noexcept {
  if (handle->endpoint->is_plain()) [[likely]]
    return true;
  follow_trace(handle);
  return check_open(handle);
}

inline EndpointOwner& owner_of(const Handle* handle) noexcept { return handle->state->endpoints->owner; }

/// Converts an id to an int of up to 128 bits, and back. `parse_id` returns false, with TypeError set, for anything
/// other than an int; an int outside that range gives the id of no channel.
PyObject* id_as_int(const ChannelId& id) noexcept;
bool parse_id(PyObject* value, ChannelId& id) noexcept;

}  // namespace xichan::python
