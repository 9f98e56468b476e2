#include "state/event.h"

#include "ends/async.h"
#include "state/state_type.h"
#include "state/waiting.h"

namespace xichan::python {
namespace {

PyObject* event_new(PyTypeObject* type, PyObject* args, PyObject* keywords) noexcept {
  static const char* names[] = {"name", nullptr};
  PyObject* named = nullptr;
  std::string_view name;
  if (!PyArg_ParseTupleAndKeywords(args, keywords, "|$O:Event", const_cast<char**>(names), &named) ||
      !parse_channel_name(named, name)) {
    return nullptr;
  }
  return new_object(state_of_type(type), new (std::nothrow) SharedEvent, name, named);
}

PyObject* set(PyObject* self, PyObject*) noexcept {
  auto* object = usable<SharedEvent>(self);
  if (object == nullptr) return nullptr;
  object->set();
  Py_RETURN_NONE;
}

PyObject* clear(PyObject* self, PyObject*) noexcept {
  auto* object = usable<SharedEvent>(self);
  if (object == nullptr) return nullptr;
  object->clear();
  Py_RETURN_NONE;
}

PyObject* is_set(PyObject* self, PyObject*) noexcept {
  auto* object = usable<SharedEvent>(self);
  return object == nullptr ? nullptr : PyBool_FromLong(object->is_set());
}

PyObject* wait(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"timeout"};
  static constexpr Signature signature{"wait", names, 0, 1};
  PyObject* value = nullptr;
  Timeout timeout;
  if (!parse_arguments(signature, args, count, keywords, &value) || !parse_timeout(value, timeout)) return nullptr;
  auto* object = usable<SharedEvent>(self);
  if (object == nullptr) return nullptr;
  if (object->is_set()) Py_RETURN_TRUE;
  if (timeout.now) Py_RETURN_FALSE;
  ModuleState& state = *as_state_handle(self)->state;
  Request request = object->request();
  Status status;
  if (!wait_admitted(state, *object, request, timeout, status)) return nullptr;
  if (status == Status::ok) Py_RETURN_TRUE;
  if (status == Status::timeout) Py_RETURN_FALSE;
  return raise(state, status);
}

PyObject* join(PyObject* self, PyObject* args) noexcept {
  PyObject* notifier;
  unsigned long long key, ticket = 0;
  if (!PyArg_ParseTuple(args, "OK|K:_join", &notifier, &key, &ticket)) return nullptr;
  auto* object = usable<SharedEvent>(self);
  if (object == nullptr) return nullptr;
  Request request = object->request();
  request.ticket = ticket;
  return join_queue(*as_state_handle(self)->state, *object, request, notifier, key);
}

PyObject* await_set(PyObject* self, PyObject*) noexcept {
  return delegate("xichan._state", "await_set", self, nullptr, 0, nullptr);
}
PyObject* await(PyObject* self) noexcept { return delegate("xichan._state", "await_event", self, nullptr, 0, nullptr); }

PyObject* event_repr(PyObject* self) noexcept {
  auto* object = static_cast<SharedEvent*>(as_state_handle(self)->reference->object());
  return repr_of(self, object != nullptr && object->is_set() ? " set" : " unset");
}

PyDoc_STRVAR(event_doc,
"Event(*, name=None)\n--\n\n"
"A flag that threads, interpreters and coroutines wait for. As threading.Event, across interpreters.\n\n"
"name: str, under which Event.lookup() finds it in every interpreter; None for no name.\n\n"
"Awaiting it waits until it is set. Thread-safe.");

PyDoc_STRVAR(set_doc,
"set($self, /)\n--\n\n"
"Set the flag, and wake all calls that wait for it, also if the flag is cleared at once. Never blocks.");

PyDoc_STRVAR(clear_doc,
"clear($self, /)\n--\n\n"
"Clear the flag. Never blocks.");

PyDoc_STRVAR(is_set_doc,
"is_set($self, /)\n--\n\n"
"Return True if the flag is set.");

PyDoc_STRVAR(wait_doc,
"wait($self, /, timeout=None)\n--\n\n"
"Block until the flag is set. Return True, or False if it was not set in time.\n\n"
"timeout: seconds (int or float, not negative); None blocks indefinitely.\n\n"
"Raises ChannelClosed while the interpreter shuts down.");

PyDoc_STRVAR(await_set_doc,
"await_set($self, /)\n--\n\n"
"Coroutine: wait in the running asyncio event loop until the flag is set. Returns True.");

PyMethodDef methods[] = {
    {"set", set, METH_NOARGS, set_doc},
    {"clear", clear, METH_NOARGS, clear_doc},
    {"is_set", is_set, METH_NOARGS, is_set_doc},
    {"wait", as_method(wait), METH_FASTCALL | METH_KEYWORDS, wait_doc},
    {"await_set", await_set, METH_NOARGS, await_set_doc},
    {"_join", join, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_doc, const_cast<char*>(event_doc)},
    {Py_tp_new, reinterpret_cast<void*>(event_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(state_handle_dealloc)},
    {Py_tp_repr, reinterpret_cast<void*>(event_repr)},
    {Py_tp_methods, methods},
    {Py_am_await, reinterpret_cast<void*>(await)},
    {0, nullptr},
};

}  // namespace

PyType_Spec event_spec = {"xichan.Event", sizeof(StateHandle), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, slots};

}  // namespace xichan::python
