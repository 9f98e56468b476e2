#include "ends/remote_end.h"

#include <new>
#include <string>
#include <vector>

#include "base/handle.h"
#include "base/ref.h"
#include "base/state.h"
#include "endpoint/remote_end.h"

namespace xichan::python {
namespace {

struct RemoteEndObject {
  PyObject_HEAD
  RemoteEnd* end;
};

RemoteEnd*& end_of(PyObject* object) noexcept { return reinterpret_cast<RemoteEndObject*>(object)->end; }

PyObject* remote_end_new(PyTypeObject* type, PyObject* args, PyObject* keywords) noexcept {
  static const char* names[] = {"name", "receives", "server", nullptr};
  const char *name, *server;
  Py_ssize_t name_length, server_length;
  int receives;
  if (!PyArg_ParseTupleAndKeywords(args, keywords, "s#ps#:_RemoteEnd", const_cast<char**>(names), &name, &name_length,
                                   &receives, &server, &server_length)) {
    return nullptr;
  }
  auto* const state = static_cast<ModuleState*>(PyType_GetModuleState(type));
  if (state == nullptr) return nullptr;
  PyObject* const self = type->tp_alloc(type, 0);
  if (self == nullptr) return nullptr;
  const EndpointOrigin origin{state->places.find(), static_cast<std::uint32_t>(PyThreadState_Get()->native_thread_id)};
  end_of(self) = RemoteEnd::open(state->endpoints->owner, {name, static_cast<std::size_t>(name_length)},
                                 {server, static_cast<std::size_t>(server_length)},
                                 receives ? Side::receiver : Side::sender, origin);
  if (end_of(self) != nullptr) return self;
  Py_DECREF(self);
  return PyErr_NoMemory();
}

void remote_end_dealloc(PyObject* self) noexcept {
  PyTypeObject* const type = Py_TYPE(self);
  if (end_of(self) != nullptr) RemoteEnd::destroy(end_of(self));
  type->tp_free(self);
  Py_DECREF(type);
}

PyObject* remote_end_close(PyObject* self, PyObject*) noexcept {
  end_of(self)->close();
  Py_RETURN_NONE;
}

// begin_wait_on(channel id), end_wait_on(channel id)
template <void (RemoteEnd::*function)(const ChannelId&) noexcept>
PyObject* change_waits(PyObject* self, PyObject* value) noexcept {
  ChannelId channel;
  if (!parse_id(value, channel)) return nullptr;
  (end_of(self)->*function)(channel);
  Py_RETURN_NONE;
}

PyMethodDef methods[] = {
    {"begin_wait_on", change_waits<&RemoteEnd::begin_wait_on>, METH_O, nullptr},
    {"end_wait_on", change_waits<&RemoteEnd::end_wait_on>, METH_O, nullptr},
    {"close", remote_end_close, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(remote_end_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(remote_end_dealloc)},
    {Py_tp_methods, methods},
    {0, nullptr},
};

}  // namespace

PyType_Spec remote_end_spec = {"xichan._core._RemoteEnd", sizeof(RemoteEndObject), 0,
                               Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, slots};

// Returns a tuple of ints. Null with an exception set.
static PyObject* ids_of(const std::vector<ChannelId>& channels) noexcept {
  PyObject* const ids = PyTuple_New(static_cast<Py_ssize_t>(channels.size()));
  for (std::size_t i = 0; ids != nullptr && i < channels.size(); ++i) {
    PyObject* const id = id_as_int(channels[i]);
    if (id == nullptr) {
      Py_DECREF(ids);
      return nullptr;
    }
    PyTuple_SET_ITEM(ids, static_cast<Py_ssize_t>(i), id);
  }
  return ids;
}

PyObject* inspect_remote(PyObject*, PyObject*) noexcept try {
  struct Found {
    std::string name, server;
    Side side;
    std::int64_t interpreter;
    EndpointOrigin origin;
    std::vector<ChannelId> local;
  };
  std::vector<Found> found;
  RemoteEnd::for_each([&](const RemoteEnd& end) {
    found.push_back({end.name(), end.server(), end.side(), end.interpreter(), end.origin(), end.local()});
  });
  Ref list(PyList_New(0));
  for (std::size_t i = 0; list && i < found.size(); ++i) {
    const Found& end = found[i];
    const Place* const place = end.origin.place;
    PyObject* const file =
        place == nullptr
            ? Py_NewRef(Py_None)
            : PyUnicode_DecodeUTF8(place->file().data(), static_cast<Py_ssize_t>(place->file().size()), "replace");
    PyObject* const local = ids_of(end.local);
    const Ref entry(Py_BuildValue("(s#is#LININ)", end.name.data(), static_cast<Py_ssize_t>(end.name.size()),
                                  int{end.side == Side::receiver}, end.server.data(),
                                  static_cast<Py_ssize_t>(end.server.size()), static_cast<long long>(end.interpreter),
                                  end.origin.thread, file, place == nullptr ? 0 : place->line(), local));
    if (!entry || PyList_Append(list.get(), entry.get()) < 0) return nullptr;
  }
  return list.release();
} catch (const std::bad_alloc&) {
  return PyErr_NoMemory();
}

}  // namespace xichan::python
