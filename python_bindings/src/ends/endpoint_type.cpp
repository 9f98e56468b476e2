// The base type of Sender and Receiver: closing, cloning, handing over, looking at.
#include "base/handle.h"
#include "directory/registry.h"
#include "ends/async.h"
#include "value/message.h"

namespace xichan::python {
namespace {

constexpr const char* type_name(Side side) noexcept { return side == Side::sender ? "Sender" : "Receiver"; }

void end_dealloc(PyObject* self) noexcept {
  Handle* handle = as_handle(self);
  PyTypeObject* type = Py_TYPE(self);
  if (handle->weak_references != nullptr) PyObject_ClearWeakRefs(self);
  drop_unread(handle);
  if (handle->end != nullptr) Endpoint::destroy(handle->end);
  type->tp_free(self);
  Py_DECREF(type);
}

PyObject* end_close(PyObject* self, PyObject*) noexcept {
  as_handle(self)->end->close();
  drop_unread(as_handle(self));
  Py_RETURN_NONE;
}

PyObject* end_clone(PyObject* self, PyObject*) noexcept {
  Handle* handle = as_handle(self);
  if (!check_open(handle)) return nullptr;
  Channel* channel = handle->end->channel();
  if (channel->flavor() == Flavor::spsc) {
    return PyErr_Format(handle->state->error(ErrorClass::error),
                        "an spsc channel has one end on each side: hand it over instead of cloning it");
  }
  channel->add_endpoint(handle->end->side());
  return new_handle(*handle->state, channel, handle->end->side());
}

PyObject* end_enter(PyObject* self, PyObject*) noexcept {
  return check_open(as_handle(self)) ? Py_NewRef(self) : nullptr;
}

PyObject* end_exit(PyObject* self, PyObject*) noexcept { return end_close(self, nullptr); }

PyObject* end_shutdown(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"immediate"};
  static constexpr Signature signature{"shutdown", names, 0, 1};
  PyObject* values[1];
  if (!parse_arguments(signature, args, count, keywords, values)) return nullptr;
  const int immediate = values[0] == nullptr ? 0 : PyObject_IsTrue(values[0]);
  if (immediate < 0 || !check_open(as_handle(self))) return nullptr;
  as_handle(self)->end->channel()->shutdown(immediate != 0);
  if (immediate != 0) drop_unread(as_handle(self));
  Py_RETURN_NONE;
}

PyObject* end_from_id(PyObject* type, PyObject* value) noexcept {
  PyObject* module = PyType_GetModuleByDef(reinterpret_cast<PyTypeObject*>(type), &module_definition);
  if (module == nullptr) return nullptr;
  ModuleState* state = state_of(module);
  const bool sender = type == reinterpret_cast<PyObject*>(state->sender_type);
  if (!sender && type != reinterpret_cast<PyObject*>(state->receiver_type)) {
    return PyErr_Format(PyExc_TypeError, "from_id() is of Sender and Receiver, not of %N", type);
  }
  const Side side = sender ? Side::sender : Side::receiver;
  ChannelId id;
  if (!parse_id(value, id)) return nullptr;
  Channel* channel = Registry::open(id, side);
  if (channel == nullptr) return raise(*state, Status::not_found, "no open channel has this id");
  return new_handle(*state, channel, side);
}

PyObject* end_closed(PyObject* self, void*) noexcept {
  const Handle* handle = as_handle(self);
  const bool unread = handle->unread != nullptr && !handle->unread->empty();
  return PyBool_FromLong(handle->end->is_closed() ||
                         (handle->end->channel()->finished_for(handle->end->side()) && !unread));
}

PyObject* end_id(PyObject* self, void*) noexcept { return id_as_int(as_handle(self)->end->id()); }

PyObject* end_capacity(PyObject* self, void*) noexcept {
  const std::uint64_t capacity = as_handle(self)->end->capacity();
  if (capacity == unbounded) Py_RETURN_NONE;
  return PyLong_FromUnsignedLongLong(capacity);
}

PyObject* end_name(PyObject* self, void*) noexcept {
  const Endpoint& end = *as_handle(self)->end;
  const std::string_view name = end.is_closed() ? std::string_view{} : end.channel()->name();
  if (name.empty()) Py_RETURN_NONE;
  return PyUnicode_FromStringAndSize(name.data(), static_cast<Py_ssize_t>(name.size()));
}

PyObject* end_fileno(PyObject* self, PyObject*) noexcept {
  if (!check_open(as_handle(self))) return nullptr;
  const int descriptor = as_handle(self)->end->descriptor();
  return descriptor < 0 ? PyErr_SetFromErrno(PyExc_OSError) : PyLong_FromLong(descriptor);
}

Py_ssize_t end_length(PyObject* self) noexcept {
  const Endpoint& end = *as_handle(self)->end;
  return end.is_closed() ? 0 : static_cast<Py_ssize_t>(end.channel()->size());
}

PyObject* end_repr(PyObject* self) noexcept {
  const Endpoint& end = *as_handle(self)->end;
  if (end.is_closed()) return PyUnicode_FromFormat("<xichan.%s closed>", type_name(end.side()));
  PyObject* capacity = end_capacity(self, nullptr);
  PyObject* name = capacity == nullptr ? nullptr : end_name(self, nullptr);
  PyObject* repr = nullptr;
  const char* finished = end.channel()->finished_for(end.side()) ? " finished" : "";
  if (name == Py_None) {
    repr = PyUnicode_FromFormat("<xichan.%s %zd of %S%s>", type_name(end.side()), end_length(self), capacity, finished);
  } else if (name != nullptr) {
    repr = PyUnicode_FromFormat("<xichan.%s %R %zd of %S%s>", type_name(end.side()), name, end_length(self), capacity,
                                finished);
  }
  Py_XDECREF(capacity);
  Py_XDECREF(name);
  return repr;
}

int end_true(PyObject*) noexcept { return 1; }

PyObject* end_new(PyTypeObject* type, PyObject*, PyObject*) noexcept {
  PyErr_Format(PyExc_TypeError, "cannot create '%s' instances; use xichan.channel()", type->tp_name);
  return nullptr;
}

PyDoc_STRVAR(close_doc,
"close($self, /)\n--\n\n"
"Give this end back; the last one of its side ends the channel for the other. Idempotent, never waits.\n\n"
"A call that is waiting on this very end, in another thread, raises ChannelClosed. Other ends are not affected.");

PyDoc_STRVAR(clone_doc,
"clone($self, /)\n--\n\n"
"A further end of the same channel and side, to be closed on its own. ChannelClosed if this one is closed.");

PyDoc_STRVAR(shutdown_doc,
"shutdown($self, /, immediate=False)\n--\n\n"
"Close the channel for every end, in every interpreter; all calls that wait are woken.\n\n"
"immediate: False lets receivers drain what is queued, True discards it. From then on sending raises ChannelClosed,\n"
"and so does receiving once the channel is drained. Never waits. ChannelClosed if this end is closed.");

PyDoc_STRVAR(from_id_doc,
"from_id($type, id, /)\n--\n\n"
"Open one more end of the channel that has this id.\n\n"
"id: an int, as the `id` of any end of the channel. Raises NotFound if there is no such channel, or all ends of this\n"
"side have been closed. Never waits.");

PyDoc_STRVAR(fileno_doc,
"fileno($self, /)\n--\n\n"
"A descriptor for select.poll() and other event loops: watch it for reading, also for a Sender.\n\n"
"A hint: readable when this end, found not ready by a _nowait call that raised ChannelEmpty or ChannelFull, may have\n"
"become ready; try again then. The descriptor belongs to this end and is closed with it.");

PyDoc_STRVAR(reduce_doc, "__reduce__($self, /)\n--\n\nPickle for use within this process: the copy is a further end.");

PyDoc_STRVAR(end_doc, "What Sender and Receiver have in common.");

PyMethodDef methods[] = {
    {"close", end_close, METH_NOARGS, close_doc},
    {"clone", end_clone, METH_NOARGS, clone_doc},
    {"shutdown", as_method(end_shutdown), METH_FASTCALL | METH_KEYWORDS, shutdown_doc},
    {"from_id", end_from_id, METH_O | METH_CLASS, from_id_doc},
    {"__enter__", end_enter, METH_NOARGS, nullptr},
    {"__exit__", end_exit, METH_VARARGS, nullptr},
    {"stats", end_stats, METH_NOARGS, end_stats_doc},
    {"fileno", end_fileno, METH_NOARGS, fileno_doc},
    {"__aenter__", end_aenter, METH_NOARGS, nullptr},
    {"__aexit__", end_aexit, METH_VARARGS, nullptr},
    {"__reduce__", end_reduce, METH_NOARGS, reduce_doc},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef properties[] = {
    {"closed", end_closed, nullptr, "bool: this end is closed, or the channel shut down or finished for it.", nullptr},
    {"id", end_id, nullptr, "int: the same for all ends of a channel, and for no other channel ever.", nullptr},
    {"capacity", end_capacity, nullptr, "int or None: how many values the channel holds at the most.", nullptr},
    {"name", end_name, nullptr, "str or None: the name by which lookup() finds the channel; None once closed.",
     nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyMemberDef members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(Handle, weak_references), Py_READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_doc, const_cast<char*>(end_doc)},
    {Py_tp_new, reinterpret_cast<void*>(end_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(end_dealloc)},
    {Py_tp_repr, reinterpret_cast<void*>(end_repr)},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {Py_tp_members, members},
    {Py_sq_length, reinterpret_cast<void*>(end_length)},
    {Py_nb_bool, reinterpret_cast<void*>(end_true)},
    {0, nullptr},
};

}  // namespace

// Can be a base, for Sender and Receiver alone: `end_new` refuses what anybody else derives.
PyType_Spec end_spec = {"xichan._core._End", sizeof(Handle), 0,
                        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_BASETYPE, slots};

}  // namespace xichan::python
