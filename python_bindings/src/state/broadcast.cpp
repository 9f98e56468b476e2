// The function broadcast(), and the classes Broadcast and BroadcastSender.
#include "state/broadcast.h"

#include "base/ref.h"
#include "ends/async.h"
#include "state/state_type.h"
#include "state/waiting.h"
#include "values/encode.h"

namespace xichan::python {
namespace {

constexpr const char* sender_closed = "this BroadcastSender is closed";

BroadcastSender* open_sender(PyObject* self) noexcept {
  return static_cast<BroadcastSender*>(open_object(self, sender_closed));
}

// Raises the exception for a send that ended with `status`. Returns null.
PyObject* raise_send(const ModuleState& state, Status status) noexcept {
  return raise(state, status, status == Status::end_closed ? sender_closed : nullptr);
}

PyObject* send(PyObject* self, PyObject* value, const Timeout& timeout) noexcept {
  ModuleState& state = *as_state_handle(self)->state;
  Cell cell;
  if (!encode(state, value, cell)) return nullptr;
  BroadcastSender* const sender = open_sender(self);  // encoding may have run Python code, which may have closed it
  BroadcastMessage* message = nullptr;
  Status status = sender == nullptr ? Status::invalid : BroadcastMessage::make(cell, message);
  if (message == nullptr) {
    release(cell);
    return sender == nullptr ? nullptr : raise(state, status);
  }
  BroadcastChannel& channel = sender->channel();
  status = channel.try_send(message);
  if (status == Status::full && !timeout.now) {
    Request request = BroadcastChannel::send_request(message);
    request.ended = &as_state_handle(self)->reference->ended();
    if (!wait_admitted(state, channel, request, timeout, status)) {
      BroadcastMessage::free(message);
      return nullptr;
    }
    if (status == Status::ok) status = static_cast<Status>(request.answer);
    // Not sent, without subscribers, or one that was replaced.
    if (request.subject != nullptr) BroadcastMessage::free(static_cast<BroadcastMessage*>(request.subject));
  } else if (status != Status::ok) {
    BroadcastMessage::free(message);
  }
  if (status != Status::ok) return raise_send(state, status);
  Py_RETURN_NONE;
}

PyObject* send_waiting(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"value", "timeout"};
  static constexpr Signature signature{"send", names, 1, 2};
  PyObject* values[2];
  Timeout timeout;
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_timeout(values[1], timeout)) return nullptr;
  PyObject* result = send(self, values[0], timeout);
  // A call with a timeout of zero raises ChannelTimeout, like one with any other timeout.
  if (result == nullptr && timeout.now &&
      PyErr_ExceptionMatches(as_state_handle(self)->state->error(ErrorClass::full))) {
    return raise(*as_state_handle(self)->state, Status::timeout);
  }
  return result;
}

PyObject* send_nowait(PyObject* self, PyObject* value) noexcept { return send(self, value, {.now = true}); }

PyObject* asend(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  return delegate("xichan._state", "broadcast_send", self, args, count, keywords);
}

// _join(notifier, key, ticket): waits for room.
PyObject* join(PyObject* self, PyObject* args) noexcept {
  PyObject* notifier;
  unsigned long long key, ticket;
  if (!PyArg_ParseTuple(args, "OKK:_join", &notifier, &key, &ticket)) return nullptr;
  BroadcastSender* const sender = open_sender(self);
  if (sender == nullptr) return nullptr;
  Request request = BroadcastChannel::room_request();
  request.ticket = ticket;
  return join_queue(*as_state_handle(self)->state, sender->channel(), request, notifier, key);
}

PyObject* close(PyObject* self, PyObject*) noexcept {
  auto* const sender = static_cast<BroadcastSender*>(as_state_handle(self)->reference->object());
  if (sender != nullptr && !sender->is_inherited()) close_state_handle(self, sender->channel());
  Py_RETURN_NONE;
}

PyObject* enter(PyObject* self, PyObject*) noexcept { return open_sender(self) == nullptr ? nullptr : Py_NewRef(self); }
PyObject* leave(PyObject* self, PyObject*) noexcept { return close(self, nullptr); }

PyObject* is_closed(PyObject* self, void*) noexcept {
  return PyBool_FromLong(as_state_handle(self)->reference->object() == nullptr);
}

BroadcastChannel* channel_of(PyObject* self) noexcept {
  StateObject* const object = open_object(self, sender_closed);
  if (object == nullptr) return nullptr;
  return object->kind() == StateKind::broadcast ? static_cast<BroadcastChannel*>(object)
                                                : &static_cast<BroadcastSender*>(object)->channel();
}

PyObject* get_capacity(PyObject* self, void*) noexcept {
  BroadcastChannel* const channel = channel_of(self);
  return channel == nullptr ? nullptr : PyLong_FromUnsignedLongLong(channel->capacity());
}
PyObject* get_overflow(PyObject* self, void*) noexcept {
  BroadcastChannel* const channel = channel_of(self);
  return channel == nullptr ? nullptr : PyUnicode_FromString(channel->drops_oldest() ? "drop_oldest" : "block");
}
PyObject* get_subscribers(PyObject* self, void*) noexcept {
  BroadcastChannel* const channel = channel_of(self);
  return channel == nullptr ? nullptr : PyLong_FromUnsignedLongLong(channel->subscribers());
}

// Broadcast()() -> BroadcastReceiver.
PyObject* subscribe(PyObject* self, PyObject* args, PyObject* keywords) noexcept {
  if (PyTuple_GET_SIZE(args) != 0 || (keywords != nullptr && PyDict_GET_SIZE(keywords) != 0)) {
    PyErr_SetString(PyExc_TypeError, "subscribe() takes no arguments");
    return nullptr;
  }
  auto* const channel = usable<BroadcastChannel>(self);
  if (channel == nullptr) return nullptr;
  return new_object(*as_state_handle(self)->state, new (std::nothrow) Subscription(*channel), {}, nullptr);
}

PyObject* new_sender(PyObject* self, PyObject*) noexcept {
  auto* const channel = usable<BroadcastChannel>(self);
  if (channel == nullptr) return nullptr;
  ModuleState& state = *as_state_handle(self)->state;
  BroadcastSender* const sender = channel->sender();
  return sender == nullptr ? raise(state, Status::closed, "all BroadcastSenders are closed")
                           : new_state_handle(state, sender);
}

PyObject* broadcast_repr(PyObject* self) noexcept {
  const StateObject* object = as_state_handle(self)->reference->object();
  if (object == nullptr || object->is_inherited()) return repr_of(self, "");
  BroadcastChannel* const channel = channel_of(self);
  return repr_of(self, " capacity %llu subscribers %llu", static_cast<unsigned long long>(channel->capacity()),
                 static_cast<unsigned long long>(channel->subscribers()));
}

bool parse_overflow(PyObject* value, bool& drops_oldest) noexcept {
  drops_oldest = false;
  if (value == nullptr) return true;
  if (!PyUnicode_Check(value)) {
    PyErr_Format(PyExc_TypeError, "overflow must be a str, got %T", value);
    return false;
  }
  drops_oldest = PyUnicode_EqualToUTF8(value, "drop_oldest");
  if (drops_oldest || PyUnicode_EqualToUTF8(value, "block")) return true;
  PyErr_Format(PyExc_ValueError, "overflow must be 'block' or 'drop_oldest', got %R", value);
  return false;
}

PyDoc_STRVAR(broadcast_class_doc,
"The second result of broadcast(). Calling it subscribes: it returns a BroadcastReceiver, which receives every message\n"
"that is sent from then on. It can be sent to other interpreters. Thread-safe.");

PyDoc_STRVAR(sender_method_doc,
"sender($self, /)\n--\n\n"
"Return another BroadcastSender. Raises ChannelClosed if all of them are closed.");

PyDoc_STRVAR(sender_doc,
"The first result of broadcast(): sends messages to all subscribers. It can be sent to other interpreters; the\n"
"subscribers see the end once all of its copies are closed or released. Thread-safe.");

PyDoc_STRVAR(send_doc,
"send($self, /, value, timeout=None)\n--\n\n"
"Send a value to all that are subscribed now. Without subscribers it is dropped.\n\n"
"timeout: seconds (int or float, not negative); None blocks indefinitely.\n\n"
"Blocks while the slowest subscriber has `capacity` messages left to receive, unless overflow='drop_oldest'. Raises\n"
"ChannelTimeout if the timeout expires, ChannelClosed if this BroadcastSender is closed, and NotShareableError,\n"
"MemoryLimitExceeded and MemoryError. Then nothing was sent.");

PyDoc_STRVAR(send_nowait_doc,
"send_nowait($self, value, /)\n--\n\n"
"Send a value as send() does, or raise ChannelFull instead of blocking.");

PyDoc_STRVAR(asend_doc,
"asend($self, /, value)\n--\n\n"
"Coroutine: wait in the running asyncio event loop as send() does. A cancelled call has sent nothing.");

PyDoc_STRVAR(close_doc,
"close($self, /)\n--\n\n"
"Close this BroadcastSender. Its calls that wait raise ChannelClosed. Idempotent. Never blocks.");

PyMethodDef sender_methods[] = {
    {"send", as_method(send_waiting), METH_FASTCALL | METH_KEYWORDS, send_doc},
    {"send_nowait", send_nowait, METH_O, send_nowait_doc},
    {"asend", as_method(asend), METH_FASTCALL | METH_KEYWORDS, asend_doc},
    {"close", close, METH_NOARGS, close_doc},
    {"_join", join, METH_VARARGS, nullptr},
    {"__enter__", enter, METH_NOARGS, nullptr},
    {"__exit__", leave, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef sender_properties[] = {
    {"capacity", get_capacity, nullptr, "int: the most messages that a subscriber may have left to receive.", nullptr},
    {"overflow", get_overflow, nullptr, "str: 'block' or 'drop_oldest'.", nullptr},
    {"subscribers", get_subscribers, nullptr, "int: the number of subscribers now.", nullptr},
    {"closed", is_closed, nullptr, "bool: True if this BroadcastSender is closed.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyType_Slot sender_slots[] = {
    {Py_tp_doc, const_cast<char*>(sender_doc)},
    {Py_tp_dealloc, reinterpret_cast<void*>(state_handle_dealloc)},
    {Py_tp_repr, reinterpret_cast<void*>(broadcast_repr)},
    {Py_tp_methods, sender_methods},
    {Py_tp_getset, sender_properties},
    {0, nullptr},
};

PyMethodDef broadcast_methods[] = {
    {"sender", new_sender, METH_NOARGS, sender_method_doc},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot broadcast_slots[] = {
    {Py_tp_doc, const_cast<char*>(broadcast_class_doc)},
    {Py_tp_dealloc, reinterpret_cast<void*>(state_handle_dealloc)},
    {Py_tp_repr, reinterpret_cast<void*>(broadcast_repr)},
    {Py_tp_call, reinterpret_cast<void*>(subscribe)},
    {Py_tp_methods, broadcast_methods},
    {Py_tp_getset, sender_properties},
    {0, nullptr},
};

}  // namespace

const char broadcast_doc[] =
    "broadcast($module, /, capacity, overflow='block', *, name=None)\n--\n\n"
    "Create a channel whose messages each go to all subscribers. Return (tx, subscribe).\n\n"
    "tx.send(value) sends to all that are subscribed; subscribe() returns a receiver of every message from then on.\n"
    "Both can be sent to other interpreters.\n\n"
    "capacity: int, at least 1: the most messages that a subscriber may have left to receive.\n"
    "overflow: 'block': send() blocks while a subscriber has that many. 'drop_oldest': the oldest message is dropped,\n"
    "  and a subscriber that missed messages gets Lagged(n) once.\n"
    "name: str, under which Broadcast.lookup() finds `subscribe` in every interpreter; None for no name.\n\n"
    "Raises ValueError, MemoryError and MemoryLimitExceeded, and Error if the name is in use. Never blocks.";

PyObject* broadcast(PyObject* module, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"capacity", "overflow", "name"};
  static constexpr Signature signature{"broadcast", names, 1, 2};
  PyObject* values[3];
  std::uint64_t capacity;
  bool drops_oldest;
  std::string_view name;
  if (!parse_arguments(signature, args, count, keywords, values) ||
      !parse_int("capacity", values[0], 1, std::uint64_t{1} << 32, capacity) ||
      !parse_overflow(values[1], drops_oldest) || !parse_channel_name(values[2], name)) {
    return nullptr;
  }
  ModuleState& state = *state_of(module);
  BroadcastChannel* channel = nullptr;
  const Status status = BroadcastChannel::create(capacity, drops_oldest, channel);
  if (status != Status::ok) return raise(state, status);
  // The sender first: once the channel has its name, other threads may ask for it.
  auto* const sender = new (std::nothrow) BroadcastSender(*channel);
  const Ref sender_object(new_object(state, sender, {}, nullptr));
  if (!sender_object) {
    channel->release();
    return nullptr;
  }
  const Ref subscribe_object(new_object(state, channel, name, values[2]));
  return subscribe_object ? PyTuple_Pack(2, sender_object.get(), subscribe_object.get()) : nullptr;
}

PyType_Spec broadcast_spec = {"xichan.Broadcast", sizeof(StateHandle), 0,
                              Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                              broadcast_slots};
PyType_Spec broadcast_sender_spec = {"xichan.BroadcastSender", sizeof(StateHandle), 0,
                                     Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                                     sender_slots};

}  // namespace xichan::python
