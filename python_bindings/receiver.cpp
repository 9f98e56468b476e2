// xichan.Receiver
#include <new>

#include "attach.h"
#include "decode.h"
#include "handle.h"
#include "value/message.h"

namespace xichan::python {
namespace {

// Keeps an item that could not be decoded for the next call. Without memory even for that, the item is lost.
void keep_unread(Handle* handle, const Cell& cell) noexcept {
  if (handle->unread == nullptr) handle->unread = new (std::nothrow) Unread;
  if (handle->unread == nullptr || !handle->unread->push(cell)) release(cell);
}

bool has_unread(const Handle* handle) noexcept { return handle->unread != nullptr && !handle->unread->empty(); }

PyObject* deliver_unread(Handle* handle) noexcept {
  PyObject* value = decode(*handle->state, (*handle->unread)[0]);
  if (value != nullptr) release(handle->unread->remove_first());
  return value;
}

// Decodes an item just taken; those that earlier calls could not decode come first.
PyObject* deliver(Handle* handle, const Cell& cell) noexcept {
  if (has_unread(handle)) {
    keep_unread(handle, cell);
    return deliver_unread(handle);
  }
  PyObject* value = decode(*handle->state, cell);
  if (value == nullptr) {
    keep_unread(handle, cell);
  } else {
    release(cell);
  }
  return value;
}

// Null without an exception: the channel is finished, and `finished` was asked to tell.
PyObject* receive(Handle* handle, const Timeout& timeout, bool* finished = nullptr) noexcept {
  if (!check_open(handle)) return nullptr;
  if (has_unread(handle)) return deliver_unread(handle);
  Cell cell;
  Status status;
  if (!call(owner_of(handle), *handle->end, cell, timeout, status, []() noexcept {})) return nullptr;
  if (status == Status::ok) return deliver(handle, cell);
  if (status == Status::closed && finished != nullptr) {
    *finished = true;
    return nullptr;
  }
  return raise_for(handle, status == Status::empty ? Status::timeout : status);
}

PyObject* receiver_recv(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"timeout"};
  static constexpr Signature signature{"recv", names, 0, 1};
  PyObject* values[1];
  Timeout timeout;
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_timeout(values[0], timeout)) return nullptr;
  return receive(as_handle(self), timeout);
}

PyObject* receiver_recv_nowait(PyObject* self, PyObject*) noexcept {
  Handle* handle = as_handle(self);
  if (!check_open(handle)) return nullptr;
  if (has_unread(handle)) return deliver_unread(handle);
  Cell cell;
  const Status status = handle->end->try_recv(cell);
  return status == Status::ok ? deliver(handle, cell) : raise_for(handle, status);
}

PyObject* receiver_next(PyObject* self) noexcept {
  bool finished = false;
  return receive(as_handle(self), Timeout{}, &finished);
}

PyDoc_STRVAR(receiver_doc,
"The receiving end of a channel; made by xichan.channel().\n\n"
"Iterating receives until the channel is finished: all Senders closed, or the channel shut down, and nothing left in\n"
"it. A Receiver may be used by every thread of its interpreter, and handed to other interpreters; handing it over\n"
"makes a copy, as with pipes. Each value is received once, by one of the Receivers. Equal only to itself; always true.");

PyDoc_STRVAR(recv_doc,
"recv($self, /, timeout=None)\n--\n\n"
"Take the oldest value out of the channel, waiting while it is empty.\n\n"
"timeout: seconds (int or float, not negative) after which ChannelTimeout is raised; None waits for ever, 0 not at\n"
"all.\n\n"
"Raises ChannelClosed when this end was closed, or nothing is left and nothing can come; MemoryError when there is no\n"
"memory for the value, which the next call on this end then returns. After any exception nothing has been lost. Other\n"
"threads run while this one waits.");

PyDoc_STRVAR(recv_nowait_doc,
"recv_nowait($self, /)\n--\n\n"
"Take the oldest value without waiting; ChannelEmpty if none is ready now. Otherwise raises as recv() does.");

PyMethodDef methods[] = {
    {"recv", as_method(receiver_recv), METH_FASTCALL | METH_KEYWORDS, recv_doc},
    {"recv_nowait", receiver_recv_nowait, METH_NOARGS, recv_nowait_doc},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_doc, const_cast<char*>(receiver_doc)},
    {Py_tp_iter, reinterpret_cast<void*>(PyObject_SelfIter)},
    {Py_tp_iternext, reinterpret_cast<void*>(receiver_next)},
    {Py_tp_methods, methods},
    {0, nullptr},
};

}  // namespace

PyType_Spec receiver_spec = {
    "xichan.Receiver", sizeof(Handle), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};

}  // namespace xichan::python
