#include "state/semaphore.h"

#include "ends/async.h"
#include "state/state_type.h"
#include "state/waiting.h"

namespace xichan::python {
namespace {

PyObject* semaphore_new(PyTypeObject* type, PyObject* args, PyObject* keywords) noexcept {
  static const char* names[] = {"value", "name", nullptr};
  PyObject *initial = nullptr, *named = nullptr;
  std::uint64_t value = 1;
  std::string_view name;
  if (!PyArg_ParseTupleAndKeywords(args, keywords, "|O$O:Semaphore", const_cast<char**>(names), &initial, &named) ||
      (initial != nullptr && !parse_int("value", initial, 0, INT64_MAX, value)) || !parse_channel_name(named, name)) {
    return nullptr;
  }
  return new_object(state_of_type(type), new (std::nothrow) SharedSemaphore(value), name, named);
}

PyObject* acquire(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  Timeout timeout;
  if (!parse_acquire(args, count, keywords, timeout)) return nullptr;
  auto* object = usable<SharedSemaphore>(self);
  if (object == nullptr) return nullptr;
  if (object->try_acquire()) Py_RETURN_TRUE;
  if (timeout.now) Py_RETURN_FALSE;
  ModuleState& state = *as_state_handle(self)->state;
  Request request;
  Status status;
  if (!wait_acquired(state, *object, request, timeout, status)) return nullptr;
  if (status == Status::ok) Py_RETURN_TRUE;
  if (status == Status::timeout) Py_RETURN_FALSE;
  return raise(state, status);
}

PyObject* release_units(PyObject* self, std::uint64_t units) noexcept {
  auto* object = usable<SharedSemaphore>(self);
  if (object == nullptr) return nullptr;
  if (object->release_many(units)) Py_RETURN_NONE;
  PyErr_SetString(PyExc_ValueError, "the value would exceed 2**63 - 1; nothing was released");
  return nullptr;
}

PyObject* release(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"n"};
  static constexpr Signature signature{"release", names, 0, 1};
  PyObject* value = nullptr;
  std::uint64_t units = 1;
  if (!parse_arguments(signature, args, count, keywords, &value) ||
      (value != nullptr && !parse_int("n", value, 1, INT64_MAX, units))) {
    return nullptr;
  }
  return release_units(self, units);
}

PyObject* enter(PyObject* self, PyObject*) noexcept { return acquire(self, nullptr, 0, nullptr); }
PyObject* leave(PyObject* self, PyObject*) noexcept { return release_units(self, 1); }

PyObject* join(PyObject* self, PyObject* args) noexcept {
  PyObject* notifier;
  unsigned long long key, ticket = 0;
  if (!PyArg_ParseTuple(args, "OK|K:_join", &notifier, &key, &ticket)) return nullptr;
  auto* object = usable<SharedSemaphore>(self);
  if (object == nullptr) return nullptr;
  return join_queue(*as_state_handle(self)->state, *object, {.ticket = ticket}, notifier, key);
}

PyObject* get_value(PyObject* self, void*) noexcept {
  auto* object = usable<SharedSemaphore>(self);
  return object == nullptr ? nullptr : PyLong_FromUnsignedLongLong(object->value());
}

PyObject* aacquire(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  return delegate("xichan._state", "acquire", self, args, count, keywords);
}
PyObject* aenter(PyObject* self, PyObject*) noexcept {
  return delegate("xichan._state", "aenter", self, nullptr, 0, nullptr);
}
PyObject* aexit(PyObject* self, PyObject* args) noexcept {
  return delegate("xichan._state", "aexit", self, PySequence_Fast_ITEMS(args), PyTuple_GET_SIZE(args), nullptr);
}
PyObject* await(PyObject* self) noexcept {
  return delegate("xichan._state", "await_acquire", self, nullptr, 0, nullptr);
}

PyObject* semaphore_repr(PyObject* self) noexcept {
  auto* object = static_cast<SharedSemaphore*>(as_state_handle(self)->reference->object());
  return repr_of(self, " value %llu", object == nullptr ? 0ULL : static_cast<unsigned long long>(object->value()));
}

PyDoc_STRVAR(semaphore_doc,
"Semaphore(value=1, *, name=None)\n--\n\n"
"A counter that acquire() takes from and release() adds to; acquire() blocks at zero. As threading.Semaphore, across\n"
"interpreters.\n\n"
"value: int, not negative, the initial value.\n"
"name: str, under which Semaphore.lookup() finds it in every interpreter; None for no name.\n\n"
"Calls acquire it in the order in which they began to wait. It has no owner: what an interpreter has acquired when it\n"
"ends stays acquired. Usable in with and async with; awaiting it acquires it. Thread-safe.");

PyDoc_STRVAR(acquire_doc,
"acquire($self, /, blocking=True, timeout=-1)\n--\n\n"
"Take one unit. Return True, or False if there was none in time.\n\n"
"blocking: bool; False does not block.\n"
"timeout: seconds (int or float); -1 and None block indefinitely.\n\n"
"Raises ChannelClosed while the interpreter shuts down.");

PyDoc_STRVAR(release_doc,
"release($self, /, n=1)\n--\n\n"
"Add n units, which go to the calls that have waited longest.\n\n"
"Raises ValueError if n is less than 1. Never blocks.");

PyDoc_STRVAR(aacquire_doc,
"aacquire($self, /)\n--\n\n"
"Coroutine: wait in the running asyncio event loop as acquire() does. A cancelled call has taken nothing.");

PyMethodDef methods[] = {
    {"acquire", as_method(acquire), METH_FASTCALL | METH_KEYWORDS, acquire_doc},
    {"release", as_method(release), METH_FASTCALL | METH_KEYWORDS, release_doc},
    {"aacquire", as_method(aacquire), METH_FASTCALL | METH_KEYWORDS, aacquire_doc},
    {"_join", join, METH_VARARGS, nullptr},
    {"__enter__", enter, METH_NOARGS, nullptr},
    {"__exit__", leave, METH_VARARGS, nullptr},
    {"__aenter__", aenter, METH_NOARGS, nullptr},
    {"__aexit__", aexit, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef properties[] = {
    {"value", get_value, nullptr, "int: the number of units that can be acquired now.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_doc, const_cast<char*>(semaphore_doc)},
    {Py_tp_new, reinterpret_cast<void*>(semaphore_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(state_handle_dealloc)},
    {Py_tp_repr, reinterpret_cast<void*>(semaphore_repr)},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {Py_am_await, reinterpret_cast<void*>(await)},
    {0, nullptr},
};

}  // namespace

PyType_Spec semaphore_spec = {"xichan.Semaphore", sizeof(StateHandle), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                              slots};

}  // namespace xichan::python
