// xichan._nats.Heartbeat: tells others that this process lives.
#include "nats/heartbeat.h"

#include "nats/connection_type.h"
#include "nats/object.h"

namespace xichan::nats::internal {
namespace {

struct OwnedHeartbeat {
  std::shared_ptr<Heartbeat> heartbeat;
  pid_t process = getpid();

  OwnedHeartbeat() = default;
  OwnedHeartbeat(OwnedHeartbeat&& other) noexcept : heartbeat(std::move(other.heartbeat)), process(other.process) {}
  ~OwnedHeartbeat() {
    if (is_forked(process)) {
      leak(std::move(heartbeat));
    } else if (heartbeat != nullptr) {
      heartbeat->close();
    }
  }
};

PyObject* heartbeat_new(PyTypeObject* type, PyObject* args, PyObject*) noexcept {
  const ModuleState* const state = state_of_type(type);
  PyObject *connection, *farewell;
  const char* subject;
  double interval;
  if (state == nullptr || !PyArg_ParseTuple(args, "O!sdO!:Heartbeat", state->connection_type, &connection, &subject,
                                            &interval, &PyTuple_Type, &farewell)) {
    return nullptr;
  }
  return guarded([&]() -> PyObject* {
    Heartbeat::Messages messages;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(farewell); ++i) {
      const char *to, *data;
      if (!PyArg_ParseTuple(PyTuple_GET_ITEM(farewell, i), "ss", &to, &data)) return nullptr;
      messages.emplace_back(to, data);
    }
    OwnedHeartbeat made;
    const std::shared_ptr<Connection>& opened = held<OwnedConnection>(connection).connection;
    made.heartbeat =
        std::make_shared<Heartbeat>(opened, subject, static_cast<Time>(interval * 1e9), std::move(messages));
    opened->add(made.heartbeat);
    return make_object(type, std::move(made));
  });
}

PyObject* stop(PyObject* self, PyObject*) noexcept {
  held<OwnedHeartbeat>(self).heartbeat->stop();
  Py_RETURN_NONE;
}

PyObject* close(PyObject* self, PyObject*) noexcept {
  return guarded([&] {
    held<OwnedHeartbeat>(self).heartbeat->close();
    return Py_NewRef(Py_None);
  });
}

PyMethodDef methods[] = {
    {"stop", stop, METH_NOARGS, "stop($self, /)\n--\n\nStop without a farewell."},
    {"close", close, METH_NOARGS, "close($self, /)\n--\n\nStop, and publish the farewell. Never blocks."},
    {nullptr, nullptr, 0, nullptr},
};

PyDoc_STRVAR(doc, "Heartbeat(connection, subject, interval, farewell, /)\n--\n\nPublishes a message again and again.");

PyType_Slot slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(heartbeat_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(deallocate<OwnedHeartbeat>)},
    {Py_tp_methods, methods},
    {Py_tp_doc, const_cast<char*>(doc)},
    {0, nullptr},
};

}  // namespace

PyType_Spec heartbeat_spec = {
    .name = "xichan._nats.Heartbeat",
    .basicsize = sizeof(Object<OwnedHeartbeat>),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

}  // namespace xichan::nats::internal
