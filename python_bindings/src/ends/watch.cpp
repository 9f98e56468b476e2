#include "endpoint/watch.h"

#include <algorithm>
#include <new>
#include <span>
#include <utility>

#include "base/call_site.h"
#include "base/handle.h"
#include "base/lending.h"
#include "base/ref.h"
#include "ends/cases.h"
#include "ends/special.h"
#include "ends/watch.h"
#include "values/transfer.h"

namespace xichan::python {
namespace {

struct NotifierObject {
  PyObject_HEAD
  Notifier* notifier;
};

struct WatchObject {
  PyObject_HEAD
  Watch* watch;
  PyObject* handles;    // keeps the handles of the endpoints alive: a handle, or a tuple of handles
  Transfers transfers;  // of the values that the watch offers
};

NotifierObject* as_notifier(PyObject* object) noexcept { return reinterpret_cast<NotifierObject*>(object); }
WatchObject* as_watch(PyObject* object) noexcept { return reinterpret_cast<WatchObject*>(object); }

PyObject* notifier_new(PyTypeObject* type, PyObject*, PyObject*) noexcept {
  PyObject* self = type->tp_alloc(type, 0);
  if (self == nullptr) return nullptr;
  as_notifier(self)->notifier = Notifier::create();
  if (as_notifier(self)->notifier != nullptr) return self;
  Py_DECREF(self);
  return PyErr_SetFromErrno(PyExc_OSError);
}

void notifier_dealloc(PyObject* self) noexcept {
  PyTypeObject* type = Py_TYPE(self);
  if (as_notifier(self)->notifier != nullptr) as_notifier(self)->notifier->release();
  type->tp_free(self);
  Py_DECREF(type);
}

PyObject* notifier_fileno(PyObject* self, PyObject*) noexcept {
  return PyLong_FromLong(as_notifier(self)->notifier->descriptor());
}

PyObject* notifier_collect(PyObject* self, PyObject*) noexcept {
  take_back_loans(static_cast<ModuleState*>(PyType_GetModuleState(Py_TYPE(self)))->endpoints->owner);
  PyObject* keys = PyList_New(0);
  if (keys == nullptr) return nullptr;
  const bool all = as_notifier(self)->notifier->collect([&](std::uint64_t key) noexcept {
    const Ref number(PyLong_FromUnsignedLongLong(key));
    return number && PyList_Append(keys, number.get()) == 0;
  });
  // If memory runs out, the keys collected so far are returned; the descriptor stays readable, so the loop calls again.
  if (!all && PyList_GET_SIZE(keys) != 0) PyErr_Clear();
  if (PyErr_Occurred()) Py_CLEAR(keys);
  return keys;
}

// Reads the value of a sender. A rendezvous channel offers it to receivers; any other needs only its cost.
bool read_value(Handle* handle, PyObject* value, WatchCase& watched, Transfers& transfers) noexcept {
  Cell cell;
  if (!encode_to_send(handle, value, cell) && !transfers.take(*handle->state, cell)) return false;
  watched.cost = cost_of(cell);
  if (watched.endpoint->channel()->flavor() == Flavor::rendezvous) {
    watched.offer = cell;
  } else {
    transfers.withdraw(cell);
    release(cell);
  }
  return true;
}

// Reads a case, a Receiver or (Sender, value). False with an exception set.
bool read_case(const ModuleState& state, PyObject* object, WatchCase& watched, Transfers& transfers) noexcept {
  CaseParts parts;
  if (!split_case(state, object, parts)) return false;
  watched.endpoint = parts.handle->endpoint;
  watched.offer = {};
  watched.cost = 0;
  follow_trace(parts.handle);
  return check_open(parts.handle) &&
         (parts.value == nullptr || read_value(parts.handle, parts.value, watched, transfers));
}

// Returns an object without a watch, which keeps the handles alive.
WatchObject* new_watch(const ModuleState& state, PyObject* handles) noexcept {
  WatchObject* object = PyObject_New(WatchObject, state.watch_type);
  if (object == nullptr) return nullptr;
  object->watch = nullptr;
  object->handles = Py_NewRef(handles);
  new (&object->transfers) Transfers;
  return object;
}

// Opens the watch of an object, and returns (object, ready). Consumes both arguments.
PyObject* open_watch(PyObject* notifier, WatchObject* object, std::uint64_t key, WatchCase* cases,
                     std::size_t count) noexcept {
  const ModuleState& state = *static_cast<ModuleState*>(PyType_GetModuleState(Py_TYPE(notifier)));
  bool ready = false;
  // The other side may receive an offer as soon as the watch is open; a watch that does not open releases the offers.
  object->transfers.retain();
  EndpointOwner& owner = state.endpoints->owner;
  object->watch = Watch::open(*as_notifier(notifier)->notifier, owner, key, cases, count, ready,
                              find_call_site().as_caller(owner.interpreter.load(memory_order_relaxed)));
  object->transfers.release(object->watch != nullptr);
  if (object->watch != nullptr) return Py_BuildValue("NO", object, ready ? Py_True : Py_False);
  Py_DECREF(object);
  return PyErr_NoMemory();
}

// watch(key, cases) -> (watch, ready).
PyObject* notifier_watch(PyObject* self, PyObject* args) noexcept {
  unsigned long long key;
  PyObject* list;
  if (!PyArg_ParseTuple(args, "KO!:watch", &key, &PyList_Type, &list)) return nullptr;
  ModuleState& state = *static_cast<ModuleState*>(PyType_GetModuleState(Py_TYPE(self)));
  take_back_loans(state.endpoints->owner);
  const Ref objects(PyList_AsTuple(list));
  if (!objects) return nullptr;
  const auto count = static_cast<std::size_t>(PyTuple_GET_SIZE(objects.get()));
  if (count == 0) {
    PyErr_SetString(PyExc_ValueError, "watch() requires at least one case");
    return nullptr;
  }
  auto* cases = new (std::nothrow) WatchCase[count];
  if (cases == nullptr) return PyErr_NoMemory();
  Transfers transfers;
  std::size_t parsed = 0;
  while (parsed < count &&
         read_case(state, PyTuple_GET_ITEM(objects.get(), static_cast<Py_ssize_t>(parsed)), cases[parsed], transfers)) {
    ++parsed;
  }
  // Encoding a value may have run Python code, which may have closed the endpoint of an earlier case.
  const bool open = parsed == count && std::ranges::all_of(std::span(cases, count), [&](const WatchCase& watched) {
                      return !watched.endpoint->is_closed();
                    });
  if (parsed == count && !open) raise(state, Status::end_closed);
  WatchObject* object = open ? new_watch(state, objects.get()) : nullptr;
  if (object == nullptr) {
    transfers.withdraw();
    for (std::size_t i = 0; i < parsed; ++i) release(cases[i].offer);
    delete[] cases;
    return nullptr;
  }
  transfers.restore();  // the contents of values that are not offered
  object->transfers.adopt(transfers);
  return open_watch(self, object, key, cases, count);
}

// Takes the contents out of the offers, except for that which the other side has received, and closes the watch.
void take_back(WatchObject* object) noexcept {
  if (object->watch == nullptr || !object->transfers.any()) return;
  std::size_t number;
  if (object->watch->close(number) == Outcome::transferred) {
    object->transfers.sent(object->watch->transferred_offer());
  }
  if (object->watch->is_released()) return object->transfers.forget();
  object->transfers.withdraw();
  object->transfers.restore();
}

void watch_dealloc(PyObject* self) noexcept {
  PyTypeObject* type = Py_TYPE(self);
  take_back(as_watch(self));
  if (as_watch(self)->watch != nullptr) Watch::destroy(as_watch(self)->watch, false);
  as_watch(self)->transfers.~Transfers();
  Py_CLEAR(as_watch(self)->handles);
  type->tp_free(self);
  Py_DECREF(type);
}

// close() -> the index of the case that the other side completed, or None.
PyObject* watch_close(PyObject* self, PyObject*) noexcept {
  std::size_t number;
  if (as_watch(self)->watch == nullptr) return PyErr_Format(PyExc_ValueError, "the watch was released");
  take_back(as_watch(self));
  if (as_watch(self)->watch->close(number) == Outcome::transferred) return PyLong_FromSize_t(number);
  Py_RETURN_NONE;
}

// release(used): releases the endpoints. A wake token that was not used goes to the next waiter.
PyObject* watch_release(PyObject* self, PyObject* used) noexcept {
  take_back(as_watch(self));
  if (Watch* watch = std::exchange(as_watch(self)->watch, nullptr)) Watch::destroy(watch, used == Py_True);
  Py_CLEAR(as_watch(self)->handles);
  Py_RETURN_NONE;
}

// watch_closed(key, endpoint) -> (watch, ready). Watches until the channel is closed.
PyObject* notifier_watch_closed(PyObject* self, PyObject* args) noexcept {
  unsigned long long key;
  PyObject* endpoint;
  if (!PyArg_ParseTuple(args, "KO:watch_closed", &key, &endpoint)) return nullptr;
  ModuleState& state = *static_cast<ModuleState*>(PyType_GetModuleState(Py_TYPE(self)));
  if (!is_handle(state, endpoint)) {
    return PyErr_Format(PyExc_TypeError, "expected a Sender or Receiver, got %T", endpoint);
  }
  if (!check_open(as_handle(endpoint))) return nullptr;
  follow_trace(as_handle(endpoint));
  auto* cases = new (std::nothrow) WatchCase[1];
  WatchObject* object = cases == nullptr ? nullptr : new_watch(state, endpoint);
  if (object == nullptr) {
    delete[] cases;
    return PyErr_NoMemory();
  }
  cases[0].endpoint = as_handle(endpoint)->endpoint;
  cases[0].offer = {};
  cases[0].cost = 0;
  cases[0].until_closed = true;
  return open_watch(self, object, key, cases, 1);
}

PyMethodDef notifier_methods[] = {
    {"fileno", notifier_fileno, METH_NOARGS, nullptr},
    {"collect", notifier_collect, METH_NOARGS, nullptr},
    {"watch", notifier_watch, METH_VARARGS, nullptr},
    {"watch_closed", notifier_watch_closed, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};
PyMethodDef watch_methods[] = {
    {"close", watch_close, METH_NOARGS, nullptr},
    {"release", watch_release, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot notifier_slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(notifier_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(notifier_dealloc)},
    {Py_tp_methods, notifier_methods},
    {0, nullptr},
};
PyType_Slot watch_slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(watch_dealloc)},
    {Py_tp_methods, watch_methods},
    {0, nullptr},
};

}  // namespace

Notifier* notifier_of(PyObject* object) noexcept {
  if (Py_TYPE(object)->tp_dealloc == notifier_dealloc) return as_notifier(object)->notifier;
  PyErr_Format(PyExc_TypeError, "expected a _Notifier, got %T", object);
  return nullptr;
}

PyType_Spec notifier_spec = {"xichan._core._Notifier", sizeof(NotifierObject), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, notifier_slots};
PyType_Spec watch_spec = {"xichan._core._Watch", sizeof(WatchObject), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                          watch_slots};

}  // namespace xichan::python
