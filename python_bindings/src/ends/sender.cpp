// xichan.Sender
#include "base/blocking_call.h"
#include "base/handle.h"
#include "ends/async.h"
#include "ends/batch.h"
#include "ends/names.h"
#include "value/message.h"
#include "values/encode.h"

namespace xichan::python {
namespace {

PyObject* send(Handle* handle, PyObject* value, const Timeout& timeout) noexcept {
  Cell cell;
  Status status;
  if (!check_open(handle) || !encode(*handle->state, value, cell) ||
      !call(owner_of(handle), *handle->end, Side::sender, cell, timeout, status, [&]() noexcept { release(cell); })) {
    return nullptr;
  }
  if (status == Status::ok) [[likely]]
    Py_RETURN_NONE;
  return raise_for(handle, status == Status::full ? Status::timeout : status);
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
  if (!check_open(handle) || !encode(*handle->state, value, cell)) return nullptr;
  Status status = handle->end->try_send(cell);
  if (status == Status::full && handle->end->arm()) status = handle->end->try_send(cell);
  if (status == Status::ok) {
    owner_of(handle).has_sent = true;
    Py_RETURN_NONE;
  }
  release(cell);
  return raise_for(handle, status);
}

PyDoc_STRVAR(sender_doc,
"The sending end of a channel; made by xichan.channel().\n\n"
"A Sender may be used by every thread of its interpreter, and handed to other interpreters: in a message, through\n"
"concurrent.interpreters, or pickled within this process. Handing it over makes a copy, as with pipes: close your own,\n"
"or the receiving loop at the far end never ends. Equal only to itself; always true.");

PyDoc_STRVAR(send_doc,
"send($self, /, value, timeout=None)\n--\n\n"
"Put a value into the channel, waiting while it is full.\n\n"
"value: str, bytes, int, float, bool, None, a Sender or Receiver, a view or Shared, or a tuple of these, nested to any\n"
"depth.\n"
"timeout: seconds (int or float, not negative) after which ChannelTimeout is raised; None waits for ever, 0 not at\n"
"all.\n\n"
"Raises NotShareableError, naming the place of the part that cannot be shared; ChannelClosed when this end was\n"
"closed, the channel shut down, or all Receivers are gone; MemoryLimitExceeded over the memory limit. After an exception\n"
"nothing has been sent. Other threads run while this one waits.");

PyDoc_STRVAR(send_nowait_doc,
"send_nowait($self, value, /)\n--\n\n"
"Put a value into the channel without waiting; ChannelFull if there is no room now.\n\n"
"Otherwise raises as send() does.");

PyDoc_STRVAR(send_many_doc,
"send_many($self, /, values, timeout=None)\n--\n\n"
"Put all values of an iterable into the channel, waiting while it is full; returns how many were sent.\n\n"
"timeout: seconds for all of them together. When the time is up or the channel closed after some were sent, their\n"
"number is returned; if none was, ChannelTimeout or ChannelClosed is raised. A value that cannot be shared raises\n"
"NotShareableError with `sent`, how many before it were sent, and `item`, the value.");

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

PyType_Spec sender_spec = {"xichan.Sender", sizeof(Handle), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};

}  // namespace xichan::python
