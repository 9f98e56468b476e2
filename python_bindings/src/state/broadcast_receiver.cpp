// The class BroadcastReceiver: one subscription.
#include "base/ref.h"
#include "ends/async.h"
#include "state/broadcast.h"
#include "state/state_type.h"
#include "state/waiting.h"
#include "values/decode.h"

namespace xichan::python {
namespace {

constexpr const char* receiver_closed = "this BroadcastReceiver is closed";

Subscription* open_subscription(PyObject* self) noexcept {
  return static_cast<Subscription*>(open_object(self, receiver_closed));
}

enum class Step : std::uint8_t { done, again };

// Makes the value of a message, then receives it: a message that cannot be made here for want of memory is not lost.
Step deliver(PyObject* self, Subscription* subscription, BroadcastMessage* message, bool copy,
             PyObject*& out) noexcept {
  ModuleState& state = *as_state_handle(self)->state;
  subscription->retain();  // decoding may run Python code, which may close this receiver
  out = decode(state, message->cell, copy);
  Step step = Step::done;
  if (out != nullptr || !PyErr_ExceptionMatches(PyExc_MemoryError)) {
    if (!subscription->take(message) && (out != nullptr || PyErr_ExceptionMatches(PyExc_Exception))) {
      Py_CLEAR(out);
      PyErr_Clear();
      step = Step::again;
    }
  }
  BroadcastMessage::leave(message);
  subscription->release();
  return step;
}

// Raises Lagged, then goes on with message `oldest`, so that the number of dropped messages is not lost.
Step report_lag(const ModuleState& state, Subscription& subscription, std::uint64_t next,
                std::uint64_t oldest) noexcept {
  const Ref missed(PyLong_FromUnsignedLongLong(oldest - next));
  Ref error(missed ? PyObject_CallOneArg(state.error(ErrorClass::lagged), missed.get()) : nullptr);
  if (!error) return Step::done;
  if (!subscription.skip(next, oldest)) return Step::again;
  PyErr_SetRaisedException(error.release());
  return Step::done;
}

// Receives a message. Null with an exception set: with ChannelEmpty if the timeout is zero; or without one at the end,
// if `ends` is true.
PyObject* receive(PyObject* self, const Timeout& timeout, bool copy, bool ends = false) noexcept {
  ModuleState& state = *as_state_handle(self)->state;
  std::uint64_t ticket = 0;
  for (;;) {
    Subscription* const subscription = open_subscription(self);
    if (subscription == nullptr) return nullptr;
    BroadcastMessage* message;
    PyObject* value = nullptr;
    const std::uint64_t next = subscription->next();
    std::uint64_t number;
    Step step = Step::again;
    switch (subscription->look(message, number)) {
      case Subscription::Received::message: step = deliver(self, subscription, message, copy, value); break;
      case Subscription::Received::lagged: step = report_lag(state, *subscription, next, number); break;
      case Subscription::Received::closed:
        if (ends) return nullptr;
        return raise(state, Status::closed, "all BroadcastSenders are closed and every message was received");
      case Subscription::Received::empty: {
        if (timeout.now) return raise(state, Status::empty);
        Request request = Subscription::request_of(number);
        request.ticket = ticket;
        request.ended = &as_state_handle(self)->reference->ended();
        Status status;
        if (!wait_admitted(state, subscription->channel(), request, timeout, status, "BroadcastReceiver.recv"))
          return nullptr;
        if (status == Status::end_closed) return raise(state, status, receiver_closed);
        if (status != Status::ok) return raise(state, status);
        ticket = request.ticket;
      }
    }
    if (step == Step::done) return value;
  }
}

PyObject* recv(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"timeout", "copy"};
  static constexpr Signature signature{"recv", names, 0, 1};
  PyObject* values[2];
  Timeout timeout;
  bool copy = true;
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_timeout(values[0], timeout) ||
      !parse_flag(values[1], copy)) {
    return nullptr;
  }
  PyObject* value = receive(self, timeout, copy);
  if (value == nullptr && timeout.now &&
      PyErr_ExceptionMatches(as_state_handle(self)->state->error(ErrorClass::empty))) {
    return raise(*as_state_handle(self)->state, Status::timeout);  // as for any other timeout
  }
  return value;
}

PyObject* recv_nowait(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"copy"};
  static constexpr Signature signature{"recv_nowait", names, 0, 0};
  PyObject* value = nullptr;
  bool copy = true;
  if (!parse_arguments(signature, args, count, keywords, &value) || !parse_flag(value, copy)) return nullptr;
  return receive(self, {.now = true}, copy);
}

PyObject* next(PyObject* self) noexcept { return receive(self, {}, true, true); }

// _next_nowait(): raises ChannelEmpty, or StopAsyncIteration at the end.
PyObject* next_nowait(PyObject* self, PyObject*) noexcept {
  PyObject* value = receive(self, {.now = true}, true, true);
  if (value == nullptr && !PyErr_Occurred()) PyErr_SetNone(PyExc_StopAsyncIteration);
  return value;
}

// _join(notifier, key, ticket): waits for a message.
PyObject* join(PyObject* self, PyObject* args) noexcept {
  PyObject* notifier;
  unsigned long long key, ticket;
  if (!PyArg_ParseTuple(args, "OKK:_join", &notifier, &key, &ticket)) return nullptr;
  Subscription* const subscription = open_subscription(self);
  if (subscription == nullptr) return nullptr;
  Request request = Subscription::request_of(subscription->next());
  request.ticket = ticket;
  return join_queue(*as_state_handle(self)->state, subscription->channel(), request, notifier, key);
}

PyObject* close(PyObject* self, PyObject*) noexcept {
  auto* const subscription = static_cast<Subscription*>(as_state_handle(self)->reference->object());
  if (subscription != nullptr && !subscription->is_inherited()) close_state_handle(self, subscription->channel());
  Py_RETURN_NONE;
}

PyObject* enter(PyObject* self, PyObject*) noexcept {
  return open_subscription(self) == nullptr ? nullptr : Py_NewRef(self);
}
PyObject* leave(PyObject* self, PyObject*) noexcept { return close(self, nullptr); }

PyObject* is_closed(PyObject* self, void*) noexcept {
  return PyBool_FromLong(as_state_handle(self)->reference->object() == nullptr);
}

Py_ssize_t length(PyObject* self) noexcept {
  const auto* subscription = static_cast<Subscription*>(as_state_handle(self)->reference->object());
  if (subscription == nullptr || subscription->is_inherited()) return 0;
  return static_cast<Py_ssize_t>(std::min(subscription->pending(), subscription->channel().capacity()));
}
int is_true(PyObject*) noexcept { return 1; }

PyObject* arecv(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  return delegate("xichan._state", "broadcast_recv", self, args, count, keywords);
}
PyObject* anext(PyObject* self) noexcept {
  return delegate("xichan._state", "broadcast_next", self, nullptr, 0, nullptr);
}

PyObject* receiver_repr(PyObject* self) noexcept {
  if (as_state_handle(self)->reference->object() == nullptr)
    return PyUnicode_FromString("<xichan.BroadcastReceiver closed>");
  return repr_of(self, " pending %zd", length(self));
}

PyDoc_STRVAR(receiver_doc,
"One subscriber of a broadcast(): receives every message that was sent since subscribe(). Iterable, also by async for.\n\n"
"It can be sent to other interpreters; then each message goes to one of its copies. Closing it, or releasing all its\n"
"copies, ends the subscription. Thread-safe.");

PyDoc_STRVAR(recv_doc,
"recv($self, /, timeout=None, *, copy=True)\n--\n\n"
"Receive the next message, and return its value.\n\n"
"timeout: seconds (int or float, not negative); None blocks indefinitely.\n"
"copy: bool; False returns a view of a large str, bytes, tuple, ..., which costs the same for any size.\n\n"
"Raises Lagged(n) once if n messages were dropped, because this subscriber was too slow; the next call returns the\n"
"oldest that is left. Raises ChannelTimeout if the timeout expires, and ChannelClosed if this BroadcastReceiver is closed,\n"
"all BroadcastSenders are and every message was received, or the interpreter shuts down. DecodeError consumes the\n"
"message, MemoryError does not.");

PyDoc_STRVAR(recv_nowait_doc,
"recv_nowait($self, /, *, copy=True)\n--\n\n"
"Receive the next message as recv() does, or raise ChannelEmpty instead of blocking.");

PyDoc_STRVAR(arecv_doc,
"arecv($self, /, *, copy=True)\n--\n\n"
"Coroutine: wait in the running asyncio event loop as recv() does. A cancelled call has received nothing.");

PyDoc_STRVAR(close_doc,
"close($self, /)\n--\n\n"
"Close this BroadcastReceiver. Its calls that wait raise ChannelClosed. Idempotent. Never blocks.");

PyMethodDef methods[] = {
    {"recv", as_method(recv), METH_FASTCALL | METH_KEYWORDS, recv_doc},
    {"recv_nowait", as_method(recv_nowait), METH_FASTCALL | METH_KEYWORDS, recv_nowait_doc},
    {"arecv", as_method(arecv), METH_FASTCALL | METH_KEYWORDS, arecv_doc},
    {"close", close, METH_NOARGS, close_doc},
    {"_join", join, METH_VARARGS, nullptr},
    {"_next_nowait", next_nowait, METH_NOARGS, nullptr},
    {"__enter__", enter, METH_NOARGS, nullptr},
    {"__exit__", leave, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef properties[] = {
    {"closed", is_closed, nullptr, "bool: True if this BroadcastReceiver is closed.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_doc, const_cast<char*>(receiver_doc)},
    {Py_tp_dealloc, reinterpret_cast<void*>(state_handle_dealloc)},
    {Py_tp_repr, reinterpret_cast<void*>(receiver_repr)},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {Py_tp_iter, reinterpret_cast<void*>(PyObject_SelfIter)},
    {Py_tp_iternext, reinterpret_cast<void*>(next)},
    {Py_am_aiter, reinterpret_cast<void*>(PyObject_SelfIter)},
    {Py_am_anext, reinterpret_cast<void*>(anext)},
    {Py_sq_length, reinterpret_cast<void*>(length)},
    {Py_nb_bool, reinterpret_cast<void*>(is_true)},
    {0, nullptr},
};

}  // namespace

PyType_Spec broadcast_receiver_spec = {
    "xichan.BroadcastReceiver", sizeof(StateHandle), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};

}  // namespace xichan::python
