#include "state/barrier.h"

#include "base/ref.h"
#include "ends/async.h"
#include "state/record.h"
#include "state/state_type.h"
#include "state/waiting.h"

namespace xichan::python {
namespace {

using Outcome = WaitRecord::Outcome;

PyObject* barrier_new(PyTypeObject* type, PyObject* args, PyObject* keywords) noexcept {
  static const char* names[] = {"parties", "timeout", "name", nullptr};
  PyObject *count, *timeout_value = nullptr, *named = nullptr;
  std::uint64_t parties;
  Timeout timeout;
  std::string_view name;
  if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|O$O:Barrier", const_cast<char**>(names), &count, &timeout_value,
                                   &named) ||
      !parse_int("parties", count, 1, INT64_MAX, parties) || !parse_timeout(timeout_value, timeout) ||
      !parse_channel_name(named, name)) {
    return nullptr;
  }
  std::int64_t duration = -1;
  if (timeout.now) {
    duration = 0;
  } else if (!timeout.deadline.is_never()) {
    // Rounded up: the deadline was computed a moment ago, and a wait must not end early.
    const double seconds = PyFloat_AsDouble(timeout_value);
    if (PyErr_Occurred()) return nullptr;
    duration = static_cast<std::int64_t>(seconds * 1e9) + 1;
  }
  return new_object(state_of_type(type), new (std::nothrow) SharedBarrier(parties, duration), name, named);
}

// What wait() raises when the barrier is broken.
PyObject* raise_broken() noexcept {
  const Ref error(import_attribute("threading", "BrokenBarrierError"));
  if (error) PyErr_SetString(error.get(), "the barrier is broken; reset() makes it usable again");
  return nullptr;
}

PyObject* wait(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"timeout"};
  static constexpr Signature signature{"wait", names, 0, 1};
  PyObject* value = nullptr;
  Timeout timeout;
  if (!parse_arguments(signature, args, count, keywords, &value) || !parse_timeout(value, timeout)) return nullptr;
  auto* object = usable<SharedBarrier>(self);
  if (object == nullptr) return nullptr;
  if ((value == nullptr || value == Py_None) && object->timeout() >= 0) {
    timeout = {Deadline::after(object->timeout()), object->timeout() == 0};
  }
  ModuleState& state = *as_state_handle(self)->state;
  WaitRecord record;
  Outcome outcome = object->enter(record);
  if (outcome == Outcome::waiting) {
    Request request = SharedBarrier::request_of(record);
    Status status = Status::timeout;
    const bool returns = timeout.now || wait_admitted(state, *object, request, timeout, status);
    if (object->is_inherited()) return nullptr;
    outcome = object->leave(record, returns);
    if (!returns) return nullptr;
    if (outcome != Outcome::passed && status == Status::exiting) return raise(state, status);
  }
  return outcome == Outcome::passed ? PyLong_FromUnsignedLongLong(record.index) : raise_broken();
}

PyObject* reset(PyObject* self, PyObject*) noexcept {
  auto* object = usable<SharedBarrier>(self);
  if (object == nullptr) return nullptr;
  object->reset();
  Py_RETURN_NONE;
}

PyObject* abort(PyObject* self, PyObject*) noexcept {
  auto* object = usable<SharedBarrier>(self);
  if (object == nullptr) return nullptr;
  object->abort();
  Py_RETURN_NONE;
}

PyObject* get_parties(PyObject* self, void*) noexcept {
  auto* object = usable<SharedBarrier>(self);
  return object == nullptr ? nullptr : PyLong_FromUnsignedLongLong(object->parties());
}

PyObject* get_waiting(PyObject* self, void*) noexcept {
  auto* object = usable<SharedBarrier>(self);
  return object == nullptr ? nullptr : PyLong_FromUnsignedLongLong(object->arrived());
}

PyObject* get_broken(PyObject* self, void*) noexcept {
  auto* object = usable<SharedBarrier>(self);
  return object == nullptr ? nullptr : PyBool_FromLong(object->is_broken());
}

// _timeout: float or None.
PyObject* get_timeout(PyObject* self, void*) noexcept {
  auto* object = usable<SharedBarrier>(self);
  if (object == nullptr) return nullptr;
  if (object->timeout() < 0) Py_RETURN_NONE;
  return PyFloat_FromDouble(static_cast<double>(object->timeout()) / 1e9);
}

// _enter() -> a record; it has passed or failed already if the call need not wait.
PyObject* enter(PyObject* self, PyObject*) noexcept {
  auto* object = usable<SharedBarrier>(self);
  PyObject* const record = object == nullptr ? nullptr : new_record(*as_state_handle(self)->state, *object);
  if (record != nullptr) object->enter(*record_of(record));
  return record;
}

PyObject* await(PyObject* self) noexcept {
  return delegate("xichan._state", "await_barrier", self, nullptr, 0, nullptr);
}

PyObject* barrier_repr(PyObject* self) noexcept {
  const StateObject* object = as_state_handle(self)->reference->object();
  if (object == nullptr || object->is_inherited()) return repr_of(self, "");
  auto& barrier = *static_cast<SharedBarrier*>(as_state_handle(self)->reference->object());
  return repr_of(self, " %llu of %llu waiting%s", static_cast<unsigned long long>(barrier.arrived()),
                 static_cast<unsigned long long>(barrier.parties()), barrier.is_broken() ? " broken" : "");
}

PyDoc_STRVAR(barrier_doc,
"Barrier(parties, timeout=None, *, name=None)\n--\n\n"
"Where a number of threads of any interpreters wait until all have arrived. As threading.Barrier, across interpreters.\n\n"
"parties: int, at least 1, the number of calls of wait() in a round.\n"
"timeout: seconds (int or float, not negative) after which wait() gives up; None for no limit.\n"
"name: str, under which Barrier.lookup() finds it in every interpreter; None for no name.\n\n"
"It can be used again and again. Awaiting it waits as wait() does. Thread-safe.");

PyDoc_STRVAR(wait_doc,
"wait($self, /, timeout=None)\n--\n\n"
"Block until all parties have arrived. Return how many had arrived before: 0 to parties - 1.\n\n"
"timeout: seconds (int or float, not negative); None uses the timeout of the barrier.\n\n"
"Raises threading.BrokenBarrierError if the barrier is broken or reset meanwhile. It breaks if a call gives up before\n"
"all have arrived: its timeout expires, a signal handler raises, its coroutine is cancelled, or its interpreter ends.\n"
"Raises ChannelClosed while the interpreter shuts down.");

PyDoc_STRVAR(reset_doc,
"reset($self, /)\n--\n\n"
"Make the barrier empty and usable. Calls that wait raise threading.BrokenBarrierError. Never blocks.");

PyDoc_STRVAR(abort_doc,
"abort($self, /)\n--\n\n"
"Break the barrier: calls of wait(), now and later, raise threading.BrokenBarrierError. Never blocks.");

PyMethodDef methods[] = {
    {"wait", as_method(wait), METH_FASTCALL | METH_KEYWORDS, wait_doc},
    {"reset", reset, METH_NOARGS, reset_doc},
    {"abort", abort, METH_NOARGS, abort_doc},
    {"_enter", enter, METH_NOARGS, nullptr},
    {"_join", join_by_record, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef properties[] = {
    {"parties", get_parties, nullptr, "int: the number of calls of wait() in a round.", nullptr},
    {"n_waiting", get_waiting, nullptr, "int: the number of calls that wait now.", nullptr},
    {"broken", get_broken, nullptr, "bool: True if the barrier is broken.", nullptr},
    {"_timeout", get_timeout, nullptr, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_doc, const_cast<char*>(barrier_doc)},
    {Py_tp_new, reinterpret_cast<void*>(barrier_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(state_handle_dealloc)},
    {Py_tp_repr, reinterpret_cast<void*>(barrier_repr)},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {Py_am_await, reinterpret_cast<void*>(await)},
    {0, nullptr},
};

}  // namespace

PyType_Spec barrier_spec = {"xichan.Barrier", sizeof(StateHandle), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                            slots};

}  // namespace xichan::python
