// xichan._nats.Consumer: receives the messages of one stream.
#include "nats/consumer.h"

#include "nats/connection_type.h"
#include "nats/end_watch.h"
#include "nats/mailbox_type.h"
#include "nats/object.h"
#include "xichan/python.h"

namespace xichan::nats::internal {
namespace {

struct OwnedConsumer {
  std::shared_ptr<Consumer> consumer;
  PyObject* inbox = nullptr;
  pid_t process = getpid();

  OwnedConsumer() = default;
  OwnedConsumer(OwnedConsumer&& other) noexcept
      : consumer(std::move(other.consumer)), inbox(std::exchange(other.inbox, nullptr)), process(other.process) {}
  ~OwnedConsumer() {
    if (!is_forked(process)) {
      if (consumer != nullptr) consumer->close();
    } else {
      leak(std::move(consumer));
    }
    drop_receiver(inbox);
  }
};

Consumer& consumer_of(PyObject* self) noexcept { return *held<OwnedConsumer>(self).consumer; }

// Seconds as a double, or None.
bool parse_time(PyObject* object, Time& time) noexcept {
  time = never;
  if (object == Py_None) return true;
  const double seconds = PyFloat_AsDouble(object);
  if (seconds == -1.0 && PyErr_Occurred() != nullptr) return false;
  if (seconds < 9e9) time = static_cast<Time>(seconds * 1e9);
  return true;
}

PyObject* consumer_new(PyTypeObject* type, PyObject* args, PyObject* keywords) noexcept {
  static const char* names[] = {"connection", "requests", "room", "hold", "acknowledgment", nullptr};
  const ModuleState* const state = state_of_type(type);
  if (state == nullptr) return nullptr;
  PyObject* connection;
  const char *requests, *room;
  double hold, acknowledgment;
  if (!PyArg_ParseTupleAndKeywords(args, keywords, "O!ssdd:Consumer", const_cast<char**>(names), state->connection_type,
                                   &connection, &requests, &room, &hold, &acknowledgment)) {
    return nullptr;
  }
  return guarded([&]() -> PyObject* {
    OwnedConsumer made;
    std::shared_ptr<Mailbox> mailbox;
    Value receiver;
    if (Mailbox::create(unbounded, mailbox, receiver) != Status::ok) return PyErr_NoMemory();
    made.inbox = to_python(receiver);
    if (made.inbox == nullptr) return nullptr;
    const std::shared_ptr<Connection>& opened = held<OwnedConnection>(connection).connection;
    made.consumer = std::make_shared<Consumer>(
        opened,
        Consumer::Settings{requests, room, static_cast<Time>(hold * 1e9), static_cast<Time>(acknowledgment * 1e9)},
        std::move(mailbox));
    opened->add(made.consumer);
    return make_object(type, std::move(made));
  });
}

PyObject* begin_wait(PyObject* self, PyObject* timeout) noexcept {
  Time time;
  if (!parse_time(timeout, time)) return nullptr;
  return guarded([&] { return PyLong_FromUnsignedLongLong(consumer_of(self).begin_wait(after(now(), time))); });
}

PyObject* end_wait(PyObject* self, PyObject* number) noexcept {
  const unsigned long long waiter = PyLong_AsUnsignedLongLong(number);
  if (PyErr_Occurred() != nullptr) return nullptr;
  return guarded([&] {
    consumer_of(self).end_wait(waiter);
    return Py_NewRef(Py_None);
  });
}

PyObject* probe(PyObject* self, PyObject* args) noexcept {
  const ModuleState* const state = state_of_type(Py_TYPE(self));
  Py_ssize_t count;
  PyObject* mailbox;
  if (state == nullptr || !PyArg_ParseTuple(args, "nO!:probe", &count, state->mailbox_type, &mailbox)) return nullptr;
  return guarded([&] {
    return PyLong_FromUnsignedLongLong(consumer_of(self).probe(static_cast<std::size_t>(count), mailbox_of(mailbox)));
  });
}

PyObject* cancel_probe(PyObject* self, PyObject* number) noexcept {
  const unsigned long long id = PyLong_AsUnsignedLongLong(number);
  if (PyErr_Occurred() != nullptr) return nullptr;
  consumer_of(self).cancel_probe(id);
  Py_RETURN_NONE;
}

PyObject* accept(PyObject* self, PyObject* number) noexcept {
  const ModuleState* const state = state_of_type(Py_TYPE(self));
  if (state == nullptr) return nullptr;
  const unsigned long long id = PyLong_AsUnsignedLongLong(number);
  if (PyErr_Occurred() != nullptr) return nullptr;
  Consumer::Accepted accepted = consumer_of(self).accept(id);
  if (accepted.message == nullptr) Py_RETURN_NONE;
  return make_object(state->delivery_type, std::move(accepted));
}

// acknowledge(deliveries, verb, removes)
PyObject* acknowledge(PyObject* self, PyObject* args) noexcept {
  const ModuleState* const state = state_of_type(Py_TYPE(self));
  PyObject* deliveries;
  const char* verb;
  int removes;
  if (state == nullptr || !PyArg_ParseTuple(args, "O!sp:acknowledge", &PyTuple_Type, &deliveries, &verb, &removes)) {
    return nullptr;
  }
  return guarded([&]() -> PyObject* {
    std::vector<std::string> subjects;
    std::vector<std::uint64_t> removed;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(deliveries); ++i) {
      PyObject* const item = PyTuple_GET_ITEM(deliveries, i);
      if (!PyObject_TypeCheck(item, state->delivery_type)) {
        return PyErr_Format(PyExc_TypeError, "expected a Delivery, got %T", item);
      }
      const auto& accepted = held<Consumer::Accepted>(item);
      subjects.emplace_back(reply_of(accepted.message));
      if (removes != 0) removed.push_back(accepted.delivery.sequence);
    }
    consumer_of(self).acknowledge(subjects, verb, removed);
    Py_RETURN_NONE;
  });
}

PyObject* close(PyObject* self, PyObject*) noexcept {
  return guarded([&] {
    consumer_of(self).close();
    return Py_NewRef(Py_None);
  });
}

// watch_end(stream, changes, room, leases, leases_data, seal, seal_data, interval, lease)
PyObject* watch_end(PyObject* self, PyObject* args) noexcept {
  const char *stream, *changes, *room, *leases, *leases_data, *seal, *seal_data;
  double interval, lease;
  if (!PyArg_ParseTuple(args, "sssssssdd:watch_end", &stream, &changes, &room, &leases, &leases_data, &seal, &seal_data,
                        &interval, &lease)) {
    return nullptr;
  }
  return guarded([&] {
    const auto& consumer = held<OwnedConsumer>(self).consumer;
    consumer->connection().add(std::make_shared<EndWatch>(
        consumer, EndWatch::Settings{stream, changes, room, leases, leases_data, seal, seal_data,
                                     static_cast<Time>(interval * 1e9), static_cast<Time>(lease * 1e9)}));
    return Py_NewRef(Py_None);
  });
}

PyObject* get_inbox(PyObject* self, void*) noexcept { return Py_NewRef(held<OwnedConsumer>(self).inbox); }
PyObject* get_ended(PyObject* self, void*) noexcept { return PyBool_FromLong(consumer_of(self).has_ended()); }
PyObject* get_held(PyObject* self, void*) noexcept { return PyLong_FromSize_t(consumer_of(self).held()); }

PyMethodDef methods[] = {
    {"begin_wait", begin_wait, METH_O,
     "begin_wait($self, timeout, /)\n--\n\nAsk for a message; return the number of the waiter."},
    {"end_wait", end_wait, METH_O, "end_wait($self, waiter, /)\n--\n\nForget a waiter."},
    {"probe", probe, METH_VARARGS,
     "probe($self, count, mailbox, /)\n--\n\nAsk for messages that are available now; return the number that is "
     "posted."},
    {"cancel_probe", cancel_probe, METH_O, "cancel_probe($self, number, /)\n--\n\nPost nothing for this probe."},
    {"accept", accept, METH_O, "accept($self, number, /)\n--\n\nTake a message, or None if it has been returned."},
    {"acknowledge", acknowledge, METH_VARARGS,
     "acknowledge($self, deliveries, verb, removes, /)\n--\n\nAcknowledge deliveries until the server confirms it."},
    {"watch_end", watch_end, METH_VARARGS,
     "watch_end($self, stream, changes, room, leases, leases_data, seal, seal_data, interval, lease, /)\n--\n\n"
     "End the inbox when the channel has ended."},
    {"close", close, METH_NOARGS, "close($self, /)\n--\n\nReturn what has not been accepted, and end."},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef attributes[] = {
    {"inbox", get_inbox, nullptr, "The Receiver of the numbers of messages.", nullptr},
    {"ended", get_ended, nullptr, "True once the inbox has ended.", nullptr},
    {"held", get_held, nullptr, "How many messages have arrived and are not accepted.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyDoc_STRVAR(doc,
             "Consumer(connection, requests, room, hold, acknowledgment)\n--\n\n"
             "Receives the messages of a stream.");

PyType_Slot slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(consumer_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(deallocate<OwnedConsumer>)},
    {Py_tp_methods, methods},
    {Py_tp_getset, attributes},
    {Py_tp_doc, const_cast<char*>(doc)},
    {0, nullptr},
};

}  // namespace

PyType_Spec consumer_spec = {
    .name = "xichan._nats.Consumer",
    .basicsize = sizeof(Object<OwnedConsumer>),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

}  // namespace xichan::nats::internal
