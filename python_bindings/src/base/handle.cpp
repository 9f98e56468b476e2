#include "base/handle.h"

#include <utility>

#include "value/line.h"
#include "value/message.h"

namespace xichan::python {

void release_unread(const Cell& cell) noexcept {
  if (is_decoded(cell)) {
    Py_DECREF(decoded_object(cell));
  } else if (has_line(cell)) {
    delete &line_of(cell);
  } else {
    release(cell);
  }
}

void drop_unread(Handle* handle) noexcept {
  Unread* unread = std::exchange(handle->unread, nullptr);
  if (unread == nullptr) return;
  for (const Cell& cell : *unread) release_unread(cell);
  delete unread;
}

PyObject* new_handle(ModuleState& state, Channel* channel, Side side) noexcept {
  Handle* handle = PyObject_New(Handle, state.type_of(side));
  if (handle == nullptr) {
    channel->drop_endpoint(side);
    return nullptr;
  }
  handle->weak_references = nullptr;
  handle->state = &state;
  handle->unread = nullptr;
  handle->types = nullptr;
  const EndpointOrigin origin{state.places.find(), static_cast<std::uint32_t>(PyThreadState_Get()->native_thread_id)};
  handle->endpoint = Endpoint::open(channel, side, state.endpoints->owner, origin);
  if (handle->endpoint != nullptr) return reinterpret_cast<PyObject*>(handle);
  Py_DECREF(handle);
  return state.endpoints->owner.has_ended() ? raise(state, Status::closed, "the interpreter is shutting down")
                                            : PyErr_NoMemory();
}

namespace {

// What a call that gave up waited for. The endpoint is open.
const char* pending_message(const Endpoint& endpoint, Status status) noexcept {
  const bool sends = endpoint.side() == Side::sender;
  if (endpoint.capacity() == 0) {
    if (status == Status::timeout) {
      return sends ? "timed out: no Receiver took the value; at capacity 0, a send waits for a recv in another thread"
                   : "timed out: no Sender offered a value; at capacity 0, a recv waits for a send in another thread";
    }
    return sends ? "channel is full: capacity is 0, and no Receiver waits for a value"
                 : "channel is empty: capacity is 0, and no Sender offers a value";
  }
  if (status != Status::timeout) return nullptr;
  return sends ? "timed out: the channel stayed full" : "timed out: the channel stayed empty";
}

}  // namespace

PyObject* raise_for(const Handle* handle, Status status) noexcept {
  const Endpoint& endpoint = *handle->endpoint;
  const char* message = nullptr;
  if (status == Status::end_closed) {
    message =
        endpoint.side() == Side::sender
            ? "this Sender is closed: by close() or the end of its `with` block; before that, clone() makes another"
            : "this Receiver is closed: by close() or the end of its `with` block; before that, clone() makes "
              "another";
  } else if (status == Status::closed && !endpoint.is_closed()) {
    message = endpoint.channel()->is_shut_down() ? "the channel was shut down"
              : endpoint.side() == Side::sender  ? "all Receivers are closed"
                                                 : "all Senders are closed and the channel is drained";
  } else if (status == Status::too_large) {
    message = "the value is larger than the channel's max_bytes";
  } else if (status == Status::full || status == Status::empty || status == Status::timeout) {
    message = pending_message(endpoint, status);
  }
  return raise(*handle->state, status, message);
}

void begin_tracing(const Handle* handle) noexcept {
  set_traced_interpreter(*handle->state);
  handle->endpoint->lane().follow_trace();
}

PyObject* id_as_int(const ChannelId& id) noexcept {
  return PyLong_FromUnsignedNativeBytes(&id, sizeof id, Py_ASNATIVEBYTES_LITTLE_ENDIAN);
}

bool parse_id(PyObject* value, ChannelId& id) noexcept {
  if (!PyLong_CheckExact(value)) {
    PyErr_Format(PyExc_TypeError, "id must be an int, got %T", value);
    return false;
  }
  unsigned char bytes[sizeof id + 1];  // with room for the sign
  const Py_ssize_t needed = PyLong_AsNativeBytes(value, bytes, sizeof bytes, Py_ASNATIVEBYTES_LITTLE_ENDIAN);
  if (needed < 0) return false;
  id = {};
  if (static_cast<std::size_t>(needed) <= sizeof bytes && bytes[sizeof id] == 0) std::memcpy(&id, bytes, sizeof id);
  return true;
}

}  // namespace xichan::python
