#include "ends/endpoint_type.h"

#include "base/handle.h"
#include "base/ref.h"
#include "directory/registry.h"
#include "ends/async.h"
#include "ends/closing.h"
#include "ends/hints.h"
#include "ends/special.h"
#include "ends/stats.h"
#include "ends/transport.h"
#include "value/message.h"

namespace xichan::python {
namespace {

constexpr const char* type_name(Side side) noexcept { return side == Side::sender ? "Sender" : "Receiver"; }

// Warns of a Receiver that is dropped while open, if the values in its channel are lost by that.
void warn_if_lossy(const Handle* handle) noexcept {
  const Endpoint* const endpoint = handle->endpoint;
  if (endpoint == nullptr || endpoint->side() != Side::receiver || endpoint->is_closed()) return;
  const Channel& channel = *endpoint->channel();
  if (channel.endpoint_count(Side::receiver) != 1 || channel.is_shut_down()) return;
  const std::size_t queued = channel.size() + (handle->unread == nullptr ? 0 : handle->unread->size());
  if (queued == 0 || channel.outlasts_exit() || owner_of(handle).is_exiting()) return;
  PyObject* const error = PyErr_GetRaisedException();
  const std::string_view name = channel.name();
  const Ref known(name.empty() ? PyUnicode_FromFormat("#%llx", static_cast<unsigned long long>(endpoint->id().place))
                               : PyUnicode_FromStringAndSize(name.data(), static_cast<Py_ssize_t>(name.size())));
  // Without the handle as the source, which is being destroyed.
  if (!known || PyErr_WarnFormat(PyExc_ResourceWarning, 1,
                                 "the last Receiver of channel %U was dropped while open: %zu queued %s lost; "
                                 "close() it once all are received",
                                 known.get(), queued, queued == 1 ? "value is" : "values are") < 0) {
    PyErr_WriteUnraisable(nullptr);
  }
  PyErr_SetRaisedException(error);
}

void endpoint_dealloc(PyObject* self) noexcept {
  Handle* handle = as_handle(self);
  PyTypeObject* type = Py_TYPE(self);
  if (handle->weak_references != nullptr) PyObject_ClearWeakRefs(self);
  warn_if_lossy(handle);
  drop_unread(handle);
  Py_XDECREF(handle->types);
  if (handle->endpoint != nullptr) Endpoint::destroy(handle->endpoint);
  type->tp_free(self);
  Py_DECREF(type);
}

PyObject* endpoint_clone(PyObject* self, PyObject*) noexcept {
  Handle* handle = as_handle(self);
  if (!check_open(handle)) return nullptr;
  Channel* channel = handle->endpoint->channel();
  if (channel->flavor() == Flavor::spsc) {
    return PyErr_Format(
        handle->state->error(ErrorClass::error),
        "cannot clone the %s of an spsc channel, which has one endpoint on each side; transfer it instead",
        type_name(handle->endpoint->side()));
  }
  channel->add_endpoint(handle->endpoint->side());
  PyObject* clone = new_handle(*handle->state, channel, handle->endpoint->side());
  if (clone != nullptr && handle->types != nullptr) set_types(as_handle(clone), handle->types);
  return clone;
}

PyObject* endpoint_enter(PyObject* self, PyObject*) noexcept {
  return check_open(as_handle(self)) ? Py_NewRef(self) : nullptr;
}

PyObject* endpoint_from_id(PyObject* type, PyObject* value) noexcept {
  PyObject* module = PyType_GetModuleByDef(reinterpret_cast<PyTypeObject*>(type), &module_definition);
  if (module == nullptr) return nullptr;
  ModuleState* state = state_of(module);
  const bool sender = type == reinterpret_cast<PyObject*>(state->sender_type);
  if (!sender && type != reinterpret_cast<PyObject*>(state->receiver_type)) {
    return PyErr_Format(PyExc_TypeError, "from_id() must be called on Sender or Receiver, not %N", type);
  }
  const Side side = sender ? Side::sender : Side::receiver;
  ChannelId id;
  if (!parse_id(value, id)) return nullptr;
  Channel* channel = Registry::open(id, side);
  if (channel == nullptr) return raise(*state, Status::not_found, "no open channel has this id");
  return new_handle(*state, channel, side);
}

PyObject* endpoint_closed(PyObject* self, void*) noexcept {
  const Handle* handle = as_handle(self);
  const bool unread = handle->unread != nullptr && !handle->unread->empty();
  return PyBool_FromLong(handle->endpoint->is_closed() ||
                         (handle->endpoint->channel()->finished_for(handle->endpoint->side()) && !unread));
}

PyObject* endpoint_id(PyObject* self, void*) noexcept { return id_as_int(as_handle(self)->endpoint->id()); }

PyObject* endpoint_capacity(PyObject* self, void*) noexcept {
  const std::uint64_t capacity = as_handle(self)->endpoint->capacity();
  if (capacity == unbounded) Py_RETURN_NONE;
  return PyLong_FromUnsignedLongLong(capacity);
}

PyObject* endpoint_name(PyObject* self, void*) noexcept {
  const Endpoint& endpoint = *as_handle(self)->endpoint;
  const std::string_view name = endpoint.is_closed() ? std::string_view{} : endpoint.channel()->name();
  if (name.empty()) Py_RETURN_NONE;
  return PyUnicode_FromStringAndSize(name.data(), static_cast<Py_ssize_t>(name.size()));
}

PyObject* endpoint_fileno(PyObject* self, PyObject*) noexcept {
  if (!check_open(as_handle(self))) return nullptr;
  const int descriptor = as_handle(self)->endpoint->descriptor();
  return descriptor < 0 ? PyErr_SetFromErrno(PyExc_OSError) : PyLong_FromLong(descriptor);
}

Py_ssize_t endpoint_length(PyObject* self) noexcept {
  const Endpoint& endpoint = *as_handle(self)->endpoint;
  return endpoint.is_closed() ? 0 : static_cast<Py_ssize_t>(endpoint.channel()->size());
}

PyObject* endpoint_repr(PyObject* self) noexcept {
  const Endpoint& endpoint = *as_handle(self)->endpoint;
  const char* const type = type_name(endpoint.side());
  const auto number = static_cast<unsigned long long>(endpoint.id().place);
  if (endpoint.is_closed()) return PyUnicode_FromFormat("<xichan.%s #%llx closed>", type, number);
  const Channel& channel = *endpoint.channel();
  const Ref name(endpoint_name(self, nullptr));
  if (!name) return nullptr;
  const Ref known(name.get() == Py_None ? PyUnicode_FromFormat("#%llx", number) : PyObject_Repr(name.get()));
  const Ref capacity(endpoint_capacity(self, nullptr));
  if (!known || !capacity) return nullptr;
  return PyUnicode_FromFormat("<xichan.%s %U depth=%zd/%S %s>", type, known.get(), endpoint_length(self),
                              capacity.get(), channel.state_name());
}

int endpoint_true(PyObject*) noexcept { return 1; }

PyObject* endpoint_new(PyTypeObject* type, PyObject*, PyObject*) noexcept {
  PyErr_Format(PyExc_TypeError, "cannot create '%s' instances; call xichan.channel()", type->tp_name);
  return nullptr;
}

PyDoc_STRVAR(endpoint_stats_doc,
"stats($self, /)\n"
"--\n\n"
"Return the statistics of the channel, as a ChannelStats.\n\n"
"The counts are read one after another: they are exact only while no other thread uses the channel.\n\n"
"Raises ChannelClosed if this endpoint is closed. Never blocks.");

PyDoc_STRVAR(clone_doc,
"clone($self, /)\n--\n\n"
"Return another endpoint of the same channel and side, which is closed separately.\n\n"
"Raises ChannelClosed if this endpoint is closed, and Error on an spsc channel. Never blocks. Thread-safe.");

PyDoc_STRVAR(from_id_doc,
"from_id($type, id, /)\n--\n\n"
"Open another endpoint of the channel with this id.\n\n"
"id: int, the `id` of any endpoint of the channel.\n\n"
"Raises NotFound if no channel has the id or all endpoints of this side are closed, and TypeError for anything\n"
"other than an int. Never blocks. Thread-safe.");

PyDoc_STRVAR(fileno_doc,
"fileno($self, /)\n--\n\n"
"Return a file descriptor for select.poll() and event loops; watch it for reading, also for a Sender.\n\n"
"The descriptor is a hint. After a _nowait call on this endpoint raised ChannelEmpty or ChannelFull, it becomes\n"
"readable when the endpoint may be ready; then try again. It belongs to this endpoint and is closed with it.\n"
"Raises ChannelClosed if this endpoint is closed, and OSError. Never blocks.");

PyDoc_STRVAR(reduce_doc,
"__reduce__($self, /)\n--\n\n"
"Support pickle and copy within this process: the copy is another endpoint.");

PyDoc_STRVAR(cancel_tickets_doc,
"cancel_tickets($self, /)\n--\n\n"
"Release the endpoints of this side of the channel that are in transit as tickets, and return their number.\n\n"
"A pickle that is not loaded holds its channel open; this ends that. Pickles can still be loaded while another\n"
"endpoint of this side is open. Raises ChannelClosed if this endpoint is closed. Never blocks. Thread-safe.");

PyDoc_STRVAR(endpoint_doc,
"The common base class of Sender and Receiver.");

PyMethodDef methods[] = {
    {"close", as_method(endpoint_close), METH_FASTCALL | METH_KEYWORDS, close_doc},
    {"clone", endpoint_clone, METH_NOARGS, clone_doc},
    {"shutdown", as_method(endpoint_shutdown), METH_FASTCALL | METH_KEYWORDS, shutdown_doc},
    {"wait_closed", as_method(endpoint_wait_closed), METH_FASTCALL | METH_KEYWORDS, wait_closed_doc},
    {"await_closed", endpoint_await_closed, METH_NOARGS, await_closed_doc},
    {"from_id", endpoint_from_id, METH_O | METH_CLASS, from_id_doc},
    {"__enter__", endpoint_enter, METH_NOARGS, nullptr},
    {"__exit__", endpoint_exit, METH_VARARGS, nullptr},
    {"stats", endpoint_stats, METH_NOARGS, endpoint_stats_doc},
    {"fileno", endpoint_fileno, METH_NOARGS, fileno_doc},
    {"__aenter__", endpoint_aenter, METH_NOARGS, nullptr},
    {"__aexit__", endpoint_aexit, METH_VARARGS, nullptr},
    {"cancel_tickets", cancel_tickets, METH_NOARGS, cancel_tickets_doc},
    {"__reduce__", endpoint_reduce, METH_NOARGS, reduce_doc},
    {"__getattr__", endpoint_getattr, METH_O, nullptr},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef properties[] = {
    {"closed", endpoint_closed, nullptr,
     "bool: True if this endpoint is closed, or the channel is shut down or finished for it.", nullptr},
    {"id", endpoint_id, nullptr, "int: the id of the channel, the same for all its endpoints and never reused.",
     nullptr},
    {"capacity", endpoint_capacity, nullptr, "int or None: the most values that the channel holds; None if unbounded.",
     nullptr},
    {"name", endpoint_name, nullptr,
     "str or None: the name under which lookup() finds the channel; None if this endpoint is closed.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyMemberDef members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(Handle, weak_references), Py_READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_doc, const_cast<char*>(endpoint_doc)},
    {Py_tp_new, reinterpret_cast<void*>(endpoint_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(endpoint_dealloc)},
    {Py_tp_repr, reinterpret_cast<void*>(endpoint_repr)},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {Py_tp_members, members},
    {Py_sq_length, reinterpret_cast<void*>(endpoint_length)},
    {Py_nb_bool, reinterpret_cast<void*>(endpoint_true)},
    {0, nullptr},
};

}  // namespace

// A base type for Sender and Receiver only: `endpoint_new` rejects any other subclass. `finish_endpoint_type` makes it
// immutable.
PyType_Spec endpoint_spec = {"xichan._core._End", sizeof(Handle), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots};

}  // namespace xichan::python
