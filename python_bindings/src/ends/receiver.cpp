#include "ends/receiver.h"

#include "ends/async.h"
#include "ends/names.h"
#include "ends/receive.h"
#include "ends/receiver_views.h"
#include "ends/recv_many.h"

namespace xichan::python {
namespace {

PyObject* receiver_recv(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"timeout", "copy"};
  static constexpr Signature signature{"recv", names, 0, 1};
  if (is_plain_call(count, keywords, 0)) return receive(as_handle(self), indefinitely, true);
  PyObject* values[2];
  Timeout timeout;
  bool copy = true;
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_timeout(values[0], timeout) ||
      !parse_flag(values[1], copy)) {
    return nullptr;
  }
  return receive(as_handle(self), timeout, copy);
}

PyObject* receiver_recv_nowait(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"copy"};
  static constexpr Signature signature{"recv_nowait", names, 0, 0};
  PyObject* values[1];
  bool copy = true;
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_flag(values[0], copy)) return nullptr;
  return receive_nowait(as_handle(self), copy);
}

PyObject* receiver_next(PyObject* self) noexcept {
  bool finished = false;
  return receive(as_handle(self), indefinitely, true, &finished);
}

PyDoc_STRVAR(receiver_lookup_doc,
"lookup($type, /, name, timeout=0)\n"
"--\n\n"
"Open a Receiver of the channel with this name; block until there is one or the timeout expires.\n\n"
"name: str, as passed to channel(name=...) in any interpreter of the process.\n"
"timeout: seconds (int or float, not negative); None blocks indefinitely, 0 does not block.\n\n"
"Raises NotFound if no channel has the name or all Receivers of the channel are closed.");

PyDoc_STRVAR(receiver_doc,
"The receiving endpoint of a channel, made by xichan.channel().\n\n"
"Iterating over a Receiver receives until the channel is finished: all Senders are closed or the channel is shut\n"
"down, and no value is left. Each value is received once, by one of the Receivers. A Receiver can be transferred\n"
"to another interpreter as a Sender can; as with pipes, a transfer makes a copy. Equal only to itself, and always\n"
"truthy. Any thread of its interpreter may use it.");

PyDoc_STRVAR(recv_doc,
"recv($self, /, timeout=None, *, copy=True)\n--\n\n"
"Receive the oldest value; block while the channel is empty.\n\n"
"timeout: seconds (int or float, not negative) after which ChannelTimeout is raised. None blocks indefinitely, 0\n"
"does not block.\n"
"copy: bool; False receives containers, objects, and large str and bytes as views (TupleView, DictView, RecordView,\n"
"...), which read the value in place.\n\n"
"Raises ChannelClosed if this Receiver is closed, or if the channel is empty and no value can arrive; MemoryError\n"
"if memory runs out, and then the next call on this Receiver returns the value; DecodeError if an object\n"
"in the value cannot be made here, for example because its class is not found: the value is consumed; Error if this\n"
"side of an spsc channel belongs to another Receiver. No other exception loses a value. Other threads run while\n"
"this one blocks. Thread-safe.");

PyDoc_STRVAR(recv_nowait_doc,
"recv_nowait($self, /, *, copy=True)\n--\n\n"
"Receive the oldest value without blocking; raise ChannelEmpty if the channel is empty.\n\n"
"Otherwise takes `copy` and raises as recv() does. Thread-safe.");

PyDoc_STRVAR(recv_many_doc,
"recv_many($self, /, max_items, timeout=None, *, copy=True)\n--\n\n"
"Receive values until the channel is empty, at most max_items, and return a list; block for the first.\n\n"
"max_items: int, at least 1.\n"
"timeout: seconds (int or float, not negative) to wait for the first value, after which ChannelTimeout is raised.\n"
"None blocks indefinitely, 0 does not block.\n"
"copy: bool; False receives views, as recv(copy=False) does.\n\n"
"Raises as recv() does, and TypeError or ValueError for an invalid max_items. If after the first value the channel\n"
"closes, memory runs out, or a value cannot be decoded, returns a shorter list, and the next call raises. Other\n"
"threads run while this one blocks. Thread-safe.");

PyDoc_STRVAR(drain_doc,
"drain($self, /, *, copy=True)\n--\n\n"
"Receive all values that are in the channel now and return a list, empty if there are none.\n\n"
"copy: bool; False receives views, as recv(copy=False) does.\n\n"
"Raises ChannelClosed if this Receiver is closed, MemoryError, and DecodeError as recv_many() does. Never blocks.\n"
"Thread-safe.");

PyDoc_STRVAR(views_doc,
"views($self, /)\n--\n\n"
"Return an iterator that receives as iterating over the Receiver does, but with copy=False.\n\n"
"Also supports `async for`. Raises ChannelClosed if this Receiver is closed. Each step blocks while the channel is\n"
"empty.");

PyDoc_STRVAR(arecv_doc,
"arecv($self, /, *, copy=True)\n--\n\n"
"Coroutine: receive the oldest value; wait in the running asyncio event loop while the channel is empty.\n\n"
"Takes `copy` and raises as recv() does. A cancelled call has received nothing.");

PyDoc_STRVAR(arecv_many_doc,
"arecv_many($self, /, max_items, *, copy=True)\n--\n\n"
"Coroutine: receive values until the channel is empty, at most max_items, and return a list.\n\n"
"Waits in the running asyncio event loop for the first value. Takes `copy` and raises as recv_many() does. A\n"
"cancelled call has received nothing.");

PyMethodDef methods[] = {
    {"lookup", as_method(receiver_lookup), METH_FASTCALL | METH_KEYWORDS | METH_CLASS, receiver_lookup_doc},
    {"recv", as_method(receiver_recv), METH_FASTCALL | METH_KEYWORDS, recv_doc},
    {"recv_nowait", as_method(receiver_recv_nowait), METH_FASTCALL | METH_KEYWORDS, recv_nowait_doc},
    {"recv_many", as_method(receiver_recv_many), METH_FASTCALL | METH_KEYWORDS, recv_many_doc},
    {"drain", as_method(receiver_drain), METH_FASTCALL | METH_KEYWORDS, drain_doc},
    {"views", receiver_views, METH_NOARGS, views_doc},
    {"arecv", as_method(receiver_arecv), METH_FASTCALL | METH_KEYWORDS, arecv_doc},
    {"arecv_many", as_method(receiver_arecv_many), METH_FASTCALL | METH_KEYWORDS, arecv_many_doc},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_doc, const_cast<char*>(receiver_doc)},
    {Py_tp_iter, reinterpret_cast<void*>(PyObject_SelfIter)},
    {Py_tp_iternext, reinterpret_cast<void*>(receiver_next)},
    {Py_am_aiter, reinterpret_cast<void*>(PyObject_SelfIter)},
    {Py_am_anext, reinterpret_cast<void*>(receiver_anext)},
    {Py_tp_methods, methods},
    {0, nullptr},
};

}  // namespace

PyType_Spec receiver_spec = {"xichan.Receiver", sizeof(Handle), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                             slots};

}  // namespace xichan::python
