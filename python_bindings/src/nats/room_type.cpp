// xichan._nats.Room: wakes calls that wait for free space in a channel.
#include "nats/room.h"

#include "nats/connection_type.h"
#include "nats/object.h"
#include "xichan/python.h"

namespace xichan::nats::internal {
namespace {

struct OwnedRoom {
  std::shared_ptr<Room> room;
  PyObject* tokens = nullptr;
  pid_t process = getpid();

  OwnedRoom() = default;
  OwnedRoom(OwnedRoom&& other) noexcept
      : room(std::move(other.room)), tokens(std::exchange(other.tokens, nullptr)), process(other.process) {}
  ~OwnedRoom() {
    if (is_forked(process)) {
      leak(std::move(room));
    } else if (room != nullptr) {
      room->close();
    }
    drop_receiver(tokens);
  }
};

PyObject* room_new(PyTypeObject* type, PyObject* args, PyObject*) noexcept {
  const ModuleState* const state = state_of_type(type);
  PyObject* connection;
  const char *room, *all;
  double interval;
  if (state == nullptr ||
      !PyArg_ParseTuple(args, "O!ssd:Room", state->connection_type, &connection, &room, &all, &interval)) {
    return nullptr;
  }
  return guarded([&]() -> PyObject* {
    OwnedRoom made;
    std::shared_ptr<Mailbox> mailbox;
    Value receiver;
    if (Mailbox::create(unbounded, mailbox, receiver) != Status::ok) return PyErr_NoMemory();
    made.tokens = to_python(receiver);
    if (made.tokens == nullptr) return nullptr;
    const std::shared_ptr<Connection>& opened = held<OwnedConnection>(connection).connection;
    made.room = std::make_shared<Room>(opened, room, all, static_cast<Time>(interval * 1e9), std::move(mailbox));
    opened->add(made.room);
    return make_object(type, std::move(made));
  });
}

PyObject* begin_wait(PyObject* self, PyObject*) noexcept {
  return guarded([&] {
    held<OwnedRoom>(self).room->begin_wait();
    return Py_NewRef(Py_None);
  });
}

PyObject* end_wait(PyObject* self, PyObject*) noexcept {
  held<OwnedRoom>(self).room->end_wait();
  Py_RETURN_NONE;
}

PyObject* close(PyObject* self, PyObject*) noexcept {
  held<OwnedRoom>(self).room->close();
  Py_RETURN_NONE;
}

PyObject* get_tokens(PyObject* self, void*) noexcept { return Py_NewRef(held<OwnedRoom>(self).tokens); }

PyMethodDef methods[] = {
    {"begin_wait", begin_wait, METH_NOARGS, "begin_wait($self, /)\n--\n\nRegister a call that waits for free space."},
    {"end_wait", end_wait, METH_NOARGS, "end_wait($self, /)\n--\n\nThe call has sent its value, or gives up."},
    {"close", close, METH_NOARGS, "close($self, /)\n--\n\nHave the waiting calls raise ChannelClosed."},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef attributes[] = {
    {"tokens", get_tokens, nullptr, "The Receiver of tokens: each has one waiting call try again.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyDoc_STRVAR(doc, "Room(connection, room, all, interval, /)\n--\n\nWakes calls that wait for free space in a channel.");

PyType_Slot slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(room_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(deallocate<OwnedRoom>)},
    {Py_tp_methods, methods},
    {Py_tp_getset, attributes},
    {Py_tp_doc, const_cast<char*>(doc)},
    {0, nullptr},
};

}  // namespace

PyType_Spec room_spec = {
    .name = "xichan._nats.Room",
    .basicsize = sizeof(Object<OwnedRoom>),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

}  // namespace xichan::nats::internal
