// xichan._nats.Connection: a connection to a server.
#include "nats/connection_type.h"

#include "nats/mailbox_type.h"

namespace xichan::nats::internal {
namespace {

Connection& connection_of(PyObject* self) noexcept { return *held<OwnedConnection>(self).connection; }

// Reads an option if the dict has it. False with an exception set.
bool read(PyObject* options, const char* name, std::string& text) {
  PyObject* const value = PyDict_GetItemString(options, name);
  if (value == nullptr || value == Py_None) return true;
  std::string_view bytes;
  if (!borrow(value, bytes)) return false;
  text = bytes;
  return true;
}

bool read(PyObject* options, const char* name, bool& flag) noexcept {
  PyObject* const value = PyDict_GetItemString(options, name);
  if (value == nullptr) return true;
  const int truth = PyObject_IsTrue(value);
  flag = truth > 0;
  return truth >= 0;
}

template <class Int>
bool read_int(PyObject* options, const char* name, Int& number) noexcept {
  PyObject* const value = PyDict_GetItemString(options, name);
  if (value == nullptr) return true;
  const long long read = PyLong_AsLongLong(value);
  number = static_cast<Int>(read);
  return read != -1 || PyErr_Occurred() == nullptr;
}

bool read_options(PyObject* options, ConnectOptions& to) {
  return read(options, "name", to.name) && read(options, "user", to.user) && read(options, "password", to.password) &&
         read(options, "token", to.token) && read(options, "credentials", to.credentials) &&
         read(options, "seed", to.seed) && read(options, "public_key", to.public_key) && read(options, "tls", to.tls) &&
         read(options, "tls_ca", to.tls_ca) && read(options, "tls_certificate", to.tls_certificate) &&
         read(options, "tls_key", to.tls_key) && read(options, "tls_hostname", to.tls_hostname) &&
         read(options, "tls_ciphers", to.tls_ciphers) && read(options, "tls_verify", to.tls_verify) &&
         read_int(options, "timeout_ms", to.timeout_ms) && read_int(options, "ping_interval_ms", to.ping_interval_ms) &&
         read_int(options, "reconnect_wait_ms", to.reconnect_wait_ms) &&
         read_int(options, "reconnect_most_ms", to.reconnect_most_ms) &&
         read_int(options, "most_reconnects", to.most_reconnects);
}

PyObject* connection_new(PyTypeObject* type, PyObject* args, PyObject*) noexcept {
  const ModuleState* const state = state_of_type(type);
  PyObject *servers, *events, *options;
  if (state == nullptr || !PyArg_ParseTuple(args, "O!O!O!:Connection", &PyTuple_Type, &servers, state->mailbox_type,
                                            &events, &PyDict_Type, &options)) {
    return nullptr;
  }
  return guarded([&]() -> PyObject* {
    ConnectOptions parsed;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(servers); ++i) {
      std::string_view server;
      if (!borrow(PyTuple_GET_ITEM(servers, i), server)) return nullptr;
      parsed.servers.emplace_back(server);
    }
    if (!read_options(options, parsed)) return nullptr;
    OwnedConnection made;
    made.connection = Connection::open(std::move(parsed), mailbox_of(events));
    if (made.connection == nullptr) return PyErr_SetFromErrno(PyExc_OSError);
    return make_object(type, std::move(made));
  });
}

// request(mailbox, subject, data, headers)
PyObject* request(PyObject* self, PyObject* args) noexcept {
  const ModuleState* const state = state_of_type(Py_TYPE(self));
  PyObject *mailbox, *headers, *content;
  const char* subject;
  std::string_view data;
  if (state == nullptr ||
      !PyArg_ParseTuple(args, "O!sOO!:request", state->mailbox_type, &mailbox, &subject, &content, &PyTuple_Type,
                        &headers) ||
      !borrow(content, data)) {
    return nullptr;
  }
  return guarded([&]() -> PyObject* {
    std::vector<std::pair<std::string, std::string>> pairs;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(headers); ++i) {
      const char *name, *value;
      if (!PyArg_ParseTuple(PyTuple_GET_ITEM(headers, i), "ss", &name, &value)) return nullptr;
      pairs.emplace_back(name, value);
    }
    return PyLong_FromUnsignedLongLong(connection_of(self).request(mailbox_of(mailbox), subject, data, pairs));
  });
}

// send(mailbox, subject, prefix, first, values)
PyObject* send(PyObject* self, PyObject* args) noexcept {
  const ModuleState* const state = state_of_type(Py_TYPE(self));
  PyObject *mailbox, *values;
  const char *subject, *prefix;
  unsigned long long first;
  if (state == nullptr || !PyArg_ParseTuple(args, "O!ssKO!:send", state->mailbox_type, &mailbox, &subject, &prefix,
                                            &first, &PyTuple_Type, &values)) {
    return nullptr;
  }
  return guarded([&]() -> PyObject* {
    std::vector<std::string_view> contents(static_cast<std::size_t>(PyTuple_GET_SIZE(values)));
    for (std::size_t i = 0; i < contents.size(); ++i) {
      if (!borrow(PyTuple_GET_ITEM(values, static_cast<Py_ssize_t>(i)), contents[i])) return nullptr;
    }
    return PyLong_FromUnsignedLongLong(connection_of(self).send(mailbox_of(mailbox), subject, prefix, first, contents));
  });
}

PyObject* cancel(PyObject* self, PyObject* number) noexcept {
  const unsigned long long batch = PyLong_AsUnsignedLongLong(number);
  if (PyErr_Occurred() != nullptr) return nullptr;
  connection_of(self).cancel(batch);
  Py_RETURN_NONE;
}

PyObject* publish(PyObject* self, PyObject* args) noexcept {
  const char* subject;
  PyObject* content;
  std::string_view data;
  if (!PyArg_ParseTuple(args, "sO:publish", &subject, &content) || !borrow(content, data)) return nullptr;
  return guarded([&] {
    const bool published = connection_of(self).publish(subject, data);
    connection_of(self).write_output();
    return PyBool_FromLong(published);
  });
}

// state() -> (server, servers, connections, unconfirmed)
PyObject* state(PyObject* self, PyObject*) noexcept {
  return guarded([&]() -> PyObject* {
    const Connection::State found = connection_of(self).state();
    PyObject* const servers = PyTuple_New(static_cast<Py_ssize_t>(found.servers.size()));
    if (servers == nullptr) return nullptr;
    for (std::size_t i = 0; i < found.servers.size(); ++i) {
      PyObject* const server = PyUnicode_FromString(found.servers[i].c_str());
      if (server == nullptr) {
        Py_DECREF(servers);
        return nullptr;
      }
      PyTuple_SET_ITEM(servers, static_cast<Py_ssize_t>(i), server);
    }
    return Py_BuildValue("(sNKn)", found.server.c_str(), servers, static_cast<unsigned long long>(found.connections),
                         static_cast<Py_ssize_t>(found.unconfirmed));
  });
}

PyObject* close(PyObject* self, PyObject*) noexcept {
  connection_of(self).close();
  Py_RETURN_NONE;
}

PyObject* get_connected(PyObject* self, void*) noexcept { return PyBool_FromLong(connection_of(self).is_connected()); }

PyObject* get_closed(PyObject* self, void*) noexcept { return PyBool_FromLong(connection_of(self).has_ended()); }

PyMethodDef methods[] = {
    {"request", request, METH_VARARGS,
     "request($self, mailbox, subject, data, headers, /)\n--\n\nPublish a request until it has a reply, which is "
     "posted."},
    {"send", send, METH_VARARGS,
     "send($self, mailbox, subject, prefix, first, values, /)\n--\n\nPublish values until the server confirms them."},
    {"cancel", cancel, METH_O, "cancel($self, number, /)\n--\n\nForget a request or values."},
    {"publish", publish, METH_VARARGS, "publish($self, subject, data, /)\n--\n\nPublish a message once."},
    {"state", state, METH_NOARGS,
     "state($self, /)\n--\n\nReturn (server, servers, how often it was connected, exchanges without a reply)."},
    {"close", close, METH_NOARGS, "close($self, /)\n--\n\nBegin to close the connection."},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef attributes[] = {
    {"connected", get_connected, nullptr, "True unless the connection is being established again.", nullptr},
    {"closed", get_closed, nullptr, "True once the connection has ended.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyDoc_STRVAR(doc, "Connection(servers, events, options, /)\n--\n\nA connection to a server.");

PyType_Slot slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(connection_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(deallocate<OwnedConnection>)},
    {Py_tp_methods, methods},
    {Py_tp_getset, attributes},
    {Py_tp_doc, const_cast<char*>(doc)},
    {0, nullptr},
};

}  // namespace

PyType_Spec connection_spec = {
    .name = "xichan._nats.Connection",
    .basicsize = sizeof(Object<OwnedConnection>),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

}  // namespace xichan::nats::internal
