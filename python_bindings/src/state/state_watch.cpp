#include "endpoint/state_watch.h"

#include <utility>

#include "base/call_site.h"
#include "ends/watch.h"
#include "state/waiting.h"

namespace xichan::python {
namespace {

struct StateWatchObject {
  PyObject_HEAD
  StateWatch* watch;  // null once released
  PyObject* keeps;    // what the request refers to, or null
};

StateWatchObject* as_watch(PyObject* object) noexcept { return reinterpret_cast<StateWatchObject*>(object); }

void release_watch(PyObject* self) noexcept {
  if (StateWatch* watch = std::exchange(as_watch(self)->watch, nullptr)) StateWatch::destroy(watch);
}

// One that is dropped without release() belongs to a coroutine that was destroyed: no code uses what it was admitted
// to.
void watch_dealloc(PyObject* self) noexcept {
  PyTypeObject* type = Py_TYPE(self);
  if (as_watch(self)->watch != nullptr) as_watch(self)->watch->withdraw();
  release_watch(self);
  Py_XDECREF(as_watch(self)->keeps);
  type->tp_free(self);
  Py_DECREF(type);
}

// close() -> the answer of the object, or None if the coroutine was not admitted.
PyObject* watch_close(PyObject* self, PyObject*) noexcept {
  StateWatch* const watch = as_watch(self)->watch;
  if (watch == nullptr || !watch->close()) Py_RETURN_NONE;
  return PyLong_FromUnsignedLongLong(watch->request().answer);
}

// ticket() -> the place in the queue, for the next watch of the same call.
PyObject* watch_ticket(PyObject* self, PyObject*) noexcept {
  return PyLong_FromUnsignedLongLong(as_watch(self)->watch == nullptr ? 0 : as_watch(self)->watch->request().ticket);
}

// release(): the coroutine keeps what it was admitted to.
PyObject* watch_release(PyObject* self, PyObject*) noexcept {
  release_watch(self);
  Py_RETURN_NONE;
}

// withdraw(): leaves the queue, and releases what the coroutine was admitted to.
PyObject* watch_withdraw(PyObject* self, PyObject*) noexcept {
  if (as_watch(self)->watch != nullptr) as_watch(self)->watch->withdraw();
  release_watch(self);
  Py_RETURN_NONE;
}

PyMethodDef methods[] = {
    {"close", watch_close, METH_NOARGS, nullptr},
    {"ticket", watch_ticket, METH_NOARGS, nullptr},
    {"release", watch_release, METH_NOARGS, nullptr},
    {"withdraw", watch_withdraw, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(watch_dealloc)},
    {Py_tp_methods, methods},
    {0, nullptr},
};

}  // namespace

PyType_Spec state_watch_spec = {"xichan._core._StateWatch", sizeof(StateWatchObject), 0,
                                Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                                slots};

PyObject* join_queue(ModuleState& state, Turnstile& object, const Request& request, PyObject* notifier_object,
                     unsigned long long key, PyObject* keeps) noexcept {
  Notifier* const notifier = notifier_of(notifier_object);
  if (notifier == nullptr) return nullptr;
  EndpointOwner& owner = state.endpoints->owner;
  if (is_traced()) set_traced_interpreter(state);
  if (owner.has_ended()) return raise(state, Status::exiting);
  StateWatchObject* const watch = PyObject_New(StateWatchObject, state.state_watch_type);
  if (watch == nullptr) return nullptr;
  watch->keeps = Py_XNewRef(keeps);
  bool admitted = false;
  watch->watch = StateWatch::open(*notifier, owner, key, object, request, admitted,
                                  find_call_site().as_caller(owner.interpreter.load(memory_order_relaxed)));
  if (watch->watch != nullptr) return Py_BuildValue("NO", watch, admitted ? Py_True : Py_False);
  Py_DECREF(watch);
  return PyErr_NoMemory();
}

}  // namespace xichan::python
