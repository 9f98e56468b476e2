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

// Sends a value in a line of the channel, if it fits in one and there is room; spins briefly unless `now` is true.
// False if it was not sent.
[[gnu::noinline]] bool send_in_line(Handle* handle, PyObject* value, bool now) noexcept {
  Cell cell;
  Line line;
  if (!encode_line(value, cell, line)) return false;
  Status status;
  const auto attempt = [&]() noexcept {
    status = handle->endpoint->try_send_line(cell, line);
    return status != Status::full;
  };
  if (!attempt() && !now) spin(attached_spin_ns, stream_pauses, attempt);
  if (status != Status::ok) return false;
  owner_of(handle).has_sent = true;
  return true;
}

enum class Begun : std::uint8_t { sent, encoded, moving };

// Sends a value in a line, or encodes it. `moving`: see encode_to_send.
[[gnu::always_inline]] inline Begun begin(Handle* handle, PyObject* value, bool now, Cell& cell) noexcept {
  if (!handle->endpoint->is_plain()) [[unlikely]]
    return encode_special(handle, value, cell) ? Begun::encoded : Begun::moving;
  if (encode_short(value, &cell)) return Begun::encoded;
  if (may_fit_line(value) && send_in_line(handle, value, now)) return Begun::sent;
  return encode_long_to_send(handle, value, cell) ? Begun::encoded : Begun::moving;
}

PyObject* send(Handle* handle, PyObject* value, const Timeout& timeout) noexcept {
  Cell cell;
  Status status;
  const Begun begun = begin(handle, value, timeout.now, cell);
  if (begun == Begun::sent) Py_RETURN_NONE;
  if (begun == Begun::moving) return send_moving(handle, cell, timeout);
  if (!call(owner_of(handle), *handle->endpoint, Side::sender, cell, timeout, status,
            [&]() noexcept { release(cell); })) {
    return nullptr;
  }
  if (status == Status::ok) [[likely]]
    Py_RETURN_NONE;
  return raise_outcome(handle, status == Status::full ? Status::timeout : status);
}

PyObject* sender_send(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"value", "timeout"};
  static constexpr Signature signature{"send", names, 1, 2};
  if (is_plain_call(count, keywords, 1)) return send(as_handle(self), args[0], Timeout{});
  PyObject* values[2];
  Timeout timeout;
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_timeout(values[1], timeout)) return nullptr;
  return send(as_handle(self), values[0], timeout);
}

PyObject* sender_send_nowait(PyObject* self, PyObject* value) noexcept {
  Handle* handle = as_handle(self);
  Cell cell;
  const Begun begun = begin(handle, value, true, cell);
  if (begun == Begun::sent) Py_RETURN_NONE;
  if (begun == Begun::moving) return send_moving_nowait(handle, cell);
  Status status = handle->endpoint->try_send(cell);
  if (status == Status::full && handle->endpoint->arm(cost_of(cell))) status = handle->endpoint->try_send(cell);
  if (status == Status::ok) {
    owner_of(handle).has_sent = true;
    Py_RETURN_NONE;
  }
  release(cell);
  return raise_outcome(handle, status);
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
