// xichan.Receiver
#include "ends/async.h"
#include "ends/batch.h"
#include "ends/names.h"
#include "ends/receive.h"
#include "values/view.h"

namespace xichan::python {
namespace {

PyObject* receiver_recv(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"timeout", "copy"};
  static constexpr Signature signature{"recv", names, 0, 1};
  if (is_plain_call(count, keywords, 0)) return receive(as_handle(self), Timeout{}, true);
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
  return receive(as_handle(self), Timeout{}, true, &finished);
}

PyDoc_STRVAR(receiver_doc,
"The receiving end of a channel; made by xichan.channel().\n\n"
"Iterating receives until the channel is finished: all Senders closed, or the channel shut down, and nothing left in\n"
"it. A Receiver may be used by every thread of its interpreter, and handed to other interpreters; handing it over\n"
"makes a copy, as with pipes. Each value is received once, by one of the Receivers. Equal only to itself; always true.");

PyDoc_STRVAR(recv_doc,
"recv($self, /, timeout=None, *, copy=True)\n--\n\n"
"Take the oldest value out of the channel, waiting while it is empty.\n\n"
"timeout: seconds (int or float, not negative) after which ChannelTimeout is raised; None waits for ever, 0 not at\n"
"all.\n"
"copy: False gives tuples, and large str and bytes, as views (Tuple, Str, Bytes), which read the value where it lies.\n\n"
"Raises ChannelClosed when this end was closed, or nothing is left and nothing can come; MemoryError when there is no\n"
"memory for the value, which the next call on this end then returns. After any exception nothing has been lost. Other\n"
"threads run while this one waits.");

PyDoc_STRVAR(recv_nowait_doc,
"recv_nowait($self, /, *, copy=True)\n--\n\n"
"Take the oldest value without waiting; ChannelEmpty if none is ready now. Otherwise raises as recv() does.");

PyDoc_STRVAR(recv_many_doc,
"recv_many($self, /, max_items, timeout=None, *, copy=True)\n--\n\n"
"Wait for one value, as recv() does, and take with it what else is there, up to max_items; a list of 1 to max_items.\n\n"
"When the channel ends or memory runs out after the first value, the list is shorter; the next call tells.");

PyDoc_STRVAR(drain_doc,
"drain($self, /, *, copy=True)\n--\n\n"
"Take all that is in the channel now, without waiting; a list, empty if there is nothing.");

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

PyType_Spec receiver_spec = {"xichan.Receiver", sizeof(Handle), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};

}  // namespace xichan::python
