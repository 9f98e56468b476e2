#include "ends/sender.h"

#include "base/blocking_call.h"
#include "base/handle.h"
#include "ends/async.h"
#include "ends/failure.h"
#include "ends/names.h"
#include "ends/send_many.h"
#include "ends/send_moving.h"
#include "ends/special.h"
#include "value/message.h"
#include "values/encode_line.h"

namespace xichan::python {
namespace {

// The calls below are `send` or, with `Now`, `send_nowait`, which takes no timeout.

// Sends an encoded value, which it takes over.
template <bool Now>
[[gnu::always_inline]] inline PyObject* send_cell(Handle* handle, Cell& cell, const Timeout& timeout) noexcept {
  Status status;
  if constexpr (Now) {
    status = handle->endpoint->try_send(cell);
    if (status == Status::full && handle->endpoint->arm(cost_of(cell))) status = handle->endpoint->try_send(cell);
    if (status == Status::ok) {
      owner_of(handle).has_sent = true;
    } else {
      release(cell);
    }
  } else if (!call(owner_of(handle), *handle->endpoint, Side::sender, cell, timeout, status,
                   [&]() noexcept { release(cell); })) {
    return nullptr;
  }
  if (status == Status::ok) [[likely]]
    Py_RETURN_NONE;
  return raise_outcome(handle, !Now && status == Status::full ? Status::timeout : status);
}

// Sends a value whose encoding returned false.
template <bool Now>
PyObject* send_unencoded(Handle* handle, Cell& cell, const Timeout& timeout) noexcept {
  return Now ? send_moving_nowait(handle, cell) : send_moving(handle, cell, timeout);
}

// Sends a value of which the channel did not take the line.
template <bool Now>
[[gnu::noinline]] PyObject* send_moved(Handle* handle, Cell& cell, const Line& line, const Timeout& timeout) noexcept {
  attach(cell, line);
  const Status status = move_to_block(cell);
  return status == Status::ok ? send_cell<Now>(handle, cell, timeout) : raise(*handle->state, status);
}

// Sends a value in a line. A call that blocks leaves the line on the stack, so it needs no block either.
template <bool Now>
[[gnu::always_inline]] inline PyObject* send_line(Handle* handle, Cell& cell, Line& line,
                                                  const Timeout& timeout) noexcept {
  Status status;
  if constexpr (Now) {
    status = handle->endpoint->try_send_line(cell, line);
    if (status == Status::full && handle->endpoint->arm()) status = handle->endpoint->try_send_line(cell, line);
    if (status == Status::ok) owner_of(handle).has_sent = true;
  } else if (!call(
                 owner_of(handle), *handle->endpoint, Side::sender, cell, timeout, status, []() noexcept {},
                 DoNothing{}, &line)) {
    return nullptr;
  }
  if (status == Status::ok) [[likely]]
    Py_RETURN_NONE;
  if (status == Status::invalid || status == Status::no_memory) return send_moved<Now>(handle, cell, line, timeout);
  return raise_outcome(handle, !Now && status == Status::full ? Status::timeout : status);
}

// Sends a value that `fits_line`.
template <bool Now>
[[gnu::noinline]] PyObject* send_long(Handle* handle, PyObject* value, const Timeout& timeout) noexcept {
  Cell cell;
  Line line;
  write_line(value, cell, line);
  return send_line<Now>(handle, cell, line, timeout);
}

// Sends a tuple that is in a line.
template <bool Now>
[[gnu::noinline]] PyObject* send_tuple(Handle* handle, Cell& cell, Line& line, const Timeout& timeout) noexcept {
  return send_line<Now>(handle, cell, line, timeout);
}

template <bool Now>
[[gnu::always_inline]] inline PyObject* send(Handle* handle, PyObject* value, const Timeout& timeout) noexcept {
  Cell cell;
  if (!handle->endpoint->is_plain()) [[unlikely]] {
    if (!encode_special(handle, value, cell)) return send_unencoded<Now>(handle, cell, timeout);
  } else if (!encode_short(value, &cell)) {
    Encoded encoded;
    if (PyTuple_CheckExact(value) && is_small(value) && handle->endpoint->has_lines()) {
      Line line;
      encoded = encode_small_tuple(*handle->state, value, cell, line);
      if (encoded == Encoded::in_line) return send_tuple<Now>(handle, cell, line, timeout);
    } else {
      if (!PyTuple_CheckExact(value) && handle->endpoint->has_lines() && fits_line(value)) {
        return send_long<Now>(handle, value, timeout);
      }
      encoded = encode_block(*handle->state, value, cell, Destination::receiver);
    }
    if (!is_ready(handle, encoded, cell)) return send_unencoded<Now>(handle, cell, timeout);
  }
  return send_cell<Now>(handle, cell, timeout);
}
[[gnu::noinline]] PyObject* send_by(Handle* handle, PyObject* value, const Timeout& timeout) noexcept {
  return send<false>(handle, value, timeout);
}

PyObject* sender_send(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"value", "timeout"};
  static constexpr Signature signature{"send", names, 1, 2};
  if (is_plain_call(count, keywords, 1)) return send_by(as_handle(self), args[0], indefinitely);
  PyObject* values[2];
  Timeout timeout;
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_timeout(values[1], timeout)) return nullptr;
  return send_by(as_handle(self), values[0], timeout);
}

PyObject* sender_send_nowait(PyObject* self, PyObject* value) noexcept {
  return send<true>(as_handle(self), value, no_time);
}

PyDoc_STRVAR(sender_lookup_doc,
"lookup($type, /, name, timeout=0)\n"
"--\n\n"
"Open a Sender of the channel with this name; block until there is one or the timeout expires.\n\n"
"name: str, as passed to channel(name=...) in any interpreter of the process.\n"
"timeout: seconds (int or float, not negative); None blocks indefinitely, 0 does not block.\n\n"
"Raises NotFound if no channel has the name or all Senders of the channel are closed.");

PyDoc_STRVAR(sender_doc,
"The sending endpoint of a channel, made by xichan.channel().\n\n"
"A Sender can be transferred to another interpreter: in a message, through concurrent.interpreters, or pickled\n"
"within this process. As with pipes, a transfer makes a copy: close your own Sender, or the receiving loop in the\n"
"other interpreter never ends. Equal only to itself, and always truthy. Any thread of its interpreter may use it.");

PyDoc_STRVAR(send_doc,
"send($self, /, value, timeout=None)\n--\n\n"
"Send a value; block while the channel is full.\n\n"
"value: None, a bool, number, str or bytes; a list, tuple, dict or set, nested to any depth; an object of a standard\n"
"type, dataclass, named tuple, enum, exception or registered class; an endpoint, Queue, view or Shared; a Buffer, which\n"
"moves to the receiver and is unusable here afterwards.\n"
"timeout: seconds (int or float, not negative) after which ChannelTimeout is raised. None blocks indefinitely, 0\n"
"does not block.\n\n"
"Raises NotShareableError, which names the part that cannot be shared and a remedy; TypeError if the channel has\n"
"another type; ChannelClosed if this Sender is closed, the channel is shut down, or all Receivers are closed;\n"
"MemoryLimitExceeded over the memory limit; ValueError if the value is larger than the max_bytes of the channel;\n"
"MemoryError; Error if this side of an spsc channel belongs to another Sender; BufferError for a Buffer that another\n"
"object can still write to, and ValueError for one that is frozen or was sent; and what encode() of a registered class\n"
"raises. After an exception nothing has been sent. Other threads run while this one blocks. Thread-safe.");

PyDoc_STRVAR(send_nowait_doc,
"send_nowait($self, value, /)\n--\n\n"
"Send a value without blocking; raise ChannelFull if the channel is full.\n\n"
"Otherwise raises as send() does. Thread-safe.");

PyDoc_STRVAR(send_many_doc,
"send_many($self, /, values, timeout=None)\n--\n\n"
"Send all values of an iterable and return how many were sent; block while the channel is full.\n\n"
"values: an iterable of values that send() accepts.\n"
"timeout: seconds (int or float, not negative) for all of them together. None blocks indefinitely, 0 does not\n"
"block.\n\n"
"If the time runs out or the channel closes after some values were sent, returns their number; before any was\n"
"sent, raises ChannelTimeout or ChannelClosed. A value that cannot be shared raises NotShareableError with `sent`,\n"
"the number of values sent before it, and `item`, the value. Otherwise raises as send() does, and whatever the\n"
"iterable raises. Other threads run while this one blocks. Thread-safe.");

PyDoc_STRVAR(asend_doc,
"asend($self, /, value)\n--\n\n"
"Coroutine: send a value; wait in the running asyncio event loop while the channel is full.\n\n"
"Raises as send() does. A cancelled call has sent nothing, except on a channel of capacity 0, where a receiver may\n"
"have received the value at that very moment.");

PyDoc_STRVAR(asend_many_doc,
"asend_many($self, /, values)\n--\n\n"
"Coroutine: send all values of an iterable and return how many were sent.\n\n"
"Waits in the running asyncio event loop while the channel is full. Raises as send_many() does.");

PyMethodDef methods[] = {
    {"lookup", as_method(sender_lookup), METH_FASTCALL | METH_KEYWORDS | METH_CLASS, sender_lookup_doc},
    {"send", as_method(sender_send), METH_FASTCALL | METH_KEYWORDS, send_doc},
    {"send_nowait", sender_send_nowait, METH_O, send_nowait_doc},
    {"send_many", as_method(sender_send_many), METH_FASTCALL | METH_KEYWORDS, send_many_doc},
    {"asend", as_method(sender_asend), METH_FASTCALL | METH_KEYWORDS, asend_doc},
    {"asend_many", as_method(sender_asend_many), METH_FASTCALL | METH_KEYWORDS, asend_many_doc},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_doc, const_cast<char*>(sender_doc)},
    {Py_tp_methods, methods},
    {0, nullptr},
};

}  // namespace

PyType_Spec sender_spec = {"xichan.Sender", sizeof(Handle), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, slots};

}  // namespace xichan::python
