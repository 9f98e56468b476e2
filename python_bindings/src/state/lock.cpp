// The classes Lock and RLock.
#include "state/lock.h"

#include "base/ref.h"
#include "ends/async.h"
#include "state/locking.h"
#include "state/state_type.h"

namespace xichan::python {
namespace {

PyObject* new_lock(PyTypeObject* type, PyObject* args, PyObject* keywords, bool recursive) noexcept {
  static const char* names[] = {"name", nullptr};
  PyObject* named = nullptr;
  std::string_view name;
  if (!PyArg_ParseTupleAndKeywords(args, keywords, recursive ? "|$O:RLock" : "|$O:Lock", const_cast<char**>(names),
                                   &named) ||
      !parse_channel_name(named, name)) {
    return nullptr;
  }
  return new_object(state_of_type(type), new (std::nothrow) SharedLock(recursive), name, named);
}
PyObject* lock_new(PyTypeObject* type, PyObject* args, PyObject* keywords) noexcept {
  return new_lock(type, args, keywords, false);
}
PyObject* rlock_new(PyTypeObject* type, PyObject* args, PyObject* keywords) noexcept {
  return new_lock(type, args, keywords, true);
}

PyObject* acquire(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  Timeout timeout;
  if (!parse_acquire(args, count, keywords, timeout)) return nullptr;
  auto* object = usable<SharedLock>(self);
  return object == nullptr ? nullptr : acquire_lock(*as_state_handle(self)->state, *object, timeout);
}

PyObject* raise_not_held(const SharedLock& object) noexcept {
  PyErr_SetString(PyExc_RuntimeError, object.kind() == StateKind::lock
                                          ? "release of a lock that is not held"
                                          : "release of a lock that this thread does not hold");
  return nullptr;
}

PyObject* release(PyObject* self, PyObject*) noexcept { return release_lock(self); }

PyObject* enter(PyObject* self, PyObject*) noexcept { return acquire(self, nullptr, 0, nullptr); }
PyObject* leave(PyObject* self, PyObject*) noexcept { return release(self, nullptr); }

PyObject* locked(PyObject* self, PyObject*) noexcept {
  auto* object = usable<SharedLock>(self);
  return object == nullptr ? nullptr : PyBool_FromLong(object->is_locked());
}

// _join(notifier, key, ticket=0, unit=0): `unit` is the number of the task that acquires it, 0 for the thread.
PyObject* join(PyObject* self, PyObject* args) noexcept {
  PyObject* notifier;
  unsigned long long key, ticket = 0;
  unsigned int unit = 0;
  if (!PyArg_ParseTuple(args, "OK|KI:_join", &notifier, &key, &ticket, &unit)) return nullptr;
  auto* object = usable<SharedLock>(self);
  if (object == nullptr) return nullptr;
  ModuleState& state = *as_state_handle(self)->state;
  const Token token = unit == 0 ? thread_token(state) : Token::of(state.endpoints->owner.number, unit);
  Request request = SharedLock::request_of(token);
  request.ticket = ticket;
  return join_queue(state, *object, request, notifier, key);
}

// _acquire_nowait(unit) -> bool, _release(unit): for a task of an event loop; unit 0 is the thread.
PyObject* acquire_nowait(PyObject* self, PyObject* number) noexcept {
  const ModuleState& state = *as_state_handle(self)->state;
  Token token;
  if (!parse_token(state, number, token)) return nullptr;
  auto* object = usable<SharedLock>(self);
  return object == nullptr ? nullptr : lock_result(state, object->try_acquire(token));
}

PyObject* release_for(PyObject* self, PyObject* number) noexcept {
  Token token;
  if (!parse_token(*as_state_handle(self)->state, number, token)) return nullptr;
  auto* object = usable<SharedLock>(self);
  if (object == nullptr) return nullptr;
  if (object->release_once(token)) Py_RETURN_NONE;
  return raise_not_held(*object);
}

// _owned(unit) -> bool, _restore(depth): for a task that waits for a Condition.
PyObject* is_owned(PyObject* self, PyObject* number) noexcept {
  Token token;
  if (!parse_token(*as_state_handle(self)->state, number, token)) return nullptr;
  const auto* object = usable<SharedLock>(self);
  return object == nullptr ? nullptr : PyBool_FromLong(object->owned_by(token));
}

PyObject* restore(PyObject* self, PyObject* depth) noexcept {
  const std::uint64_t number = PyLong_AsUnsignedLongLong(depth);
  if (PyErr_Occurred()) return nullptr;
  auto* object = usable<SharedLock>(self);
  if (object == nullptr) return nullptr;
  object->restore(number);
  Py_RETURN_NONE;
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

PyObject* lock_repr(PyObject* self) noexcept {
  const auto* object = static_cast<SharedLock*>(as_state_handle(self)->reference->object());
  return repr_of(self, object != nullptr && object->is_locked() ? " locked" : " unlocked");
}

PyDoc_STRVAR(lock_doc,
"Lock(*, name=None)\n--\n\n"
"A lock that threads of all interpreters acquire. As threading.Lock, across interpreters.\n\n"
"name: str, under which Lock.lookup() finds it in every interpreter; None for no name.\n\n"
"Calls acquire it in the order in which they began to wait. If the interpreter whose thread holds it ends, the lock\n"
"is released, and the next call that acquires it raises OwnerDied once. Usable in with and async with; awaiting it\n"
"acquires it. Any thread may release it. Thread-safe.");

PyDoc_STRVAR(rlock_doc,
"RLock(*, name=None)\n--\n\n"
"A lock that its owner may acquire again; it is free once it has been released as often. As threading.RLock, across\n"
"interpreters.\n\n"
"name: str, under which RLock.lookup() finds it in every interpreter; None for no name.\n\n"
"The owner is a thread, or the task of an event loop that acquired it by async with or await; only the owner may\n"
"release it. The order of calls, and the end of the owner's interpreter, are as for Lock. Thread-safe.");

PyDoc_STRVAR(acquire_doc,
"acquire($self, /, blocking=True, timeout=-1)\n--\n\n"
"Acquire the lock. Return True, or False if it was not free in time.\n\n"
"blocking: bool; False does not block.\n"
"timeout: seconds (int or float); -1 and None block indefinitely.\n\n"
"Raises OwnerDied, and does not acquire the lock, if the interpreter that held it has ended; once. Raises\n"
"ChannelClosed while the interpreter shuts down.");

PyDoc_STRVAR(release_doc,
"release($self, /)\n--\n\n"
"Release the lock. It goes to the call that has waited longest.\n\n"
"Raises RuntimeError if it is not held, or for an RLock, if the caller does not hold it. Never blocks.");

PyDoc_STRVAR(locked_doc,
"locked($self, /)\n--\n\n"
"Return True if the lock is held.");

PyDoc_STRVAR(aacquire_doc,
"aacquire($self, /)\n--\n\n"
"Coroutine: wait in the running asyncio event loop as acquire() does. A cancelled call does not hold the lock.");

PyMethodDef methods[] = {
    {"acquire", as_method(acquire), METH_FASTCALL | METH_KEYWORDS, acquire_doc},
    {"release", release, METH_NOARGS, release_doc},
    {"locked", locked, METH_NOARGS, locked_doc},
    {"aacquire", as_method(aacquire), METH_FASTCALL | METH_KEYWORDS, aacquire_doc},
    {"_join", join, METH_VARARGS, nullptr},
    {"_acquire_nowait", acquire_nowait, METH_O, nullptr},
    {"_release", release_for, METH_O, nullptr},
    {"_owned", is_owned, METH_O, nullptr},
    {"_restore", restore, METH_O, nullptr},
    {"__enter__", enter, METH_NOARGS, nullptr},
    {"__exit__", leave, METH_VARARGS, nullptr},
    {"__aenter__", aenter, METH_NOARGS, nullptr},
    {"__aexit__", aexit, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot lock_slots[] = {
    {Py_tp_doc, const_cast<char*>(lock_doc)},
    {Py_tp_new, reinterpret_cast<void*>(lock_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(state_handle_dealloc)},
    {Py_tp_repr, reinterpret_cast<void*>(lock_repr)},
    {Py_tp_methods, methods},
    {Py_am_await, reinterpret_cast<void*>(await)},
    {0, nullptr},
};
PyType_Slot rlock_slots[] = {
    {Py_tp_doc, const_cast<char*>(rlock_doc)},
    {Py_tp_new, reinterpret_cast<void*>(rlock_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(state_handle_dealloc)},
    {Py_tp_repr, reinterpret_cast<void*>(lock_repr)},
    {Py_tp_methods, methods},
    {Py_am_await, reinterpret_cast<void*>(await)},
    {0, nullptr},
};

}  // namespace

Token thread_token(const ModuleState& state) noexcept {
  thread_local std::uint32_t unit = 0;
  if (unit == 0) unit = EndpointOwner::next_unit();
  return Token::of(state.endpoints->owner.number, unit);
}

bool parse_token(const ModuleState& state, PyObject* number, Token& token) noexcept {
  const unsigned long unit = PyLong_AsUnsignedLong(number);
  if (PyErr_Occurred()) return false;
  token = unit == 0 ? thread_token(state) : Token::of(state.endpoints->owner.number, static_cast<std::uint32_t>(unit));
  return true;
}

// An RLock that a task of an event loop holds is released by xichan._state, which knows the task.
PyObject* release_lock(PyObject* handle) noexcept {
  auto* object = usable<SharedLock>(handle);
  if (object == nullptr) return nullptr;
  const Token token = thread_token(*as_state_handle(handle)->state);
  if (object->release_once(token)) Py_RETURN_NONE;
  if (object->kind() == StateKind::rlock && object->owner() == token.owner()) {
    return delegate("xichan._state", "release_of_task", handle, nullptr, 0, nullptr);
  }
  return raise_not_held(*object);
}

int holds_lock(PyObject* handle) noexcept {
  const auto* object = usable<SharedLock>(handle);
  if (object == nullptr) return -1;
  if (object->kind() == StateKind::lock) return object->is_locked();
  const Token token = thread_token(*as_state_handle(handle)->state);
  if (object->owned_by(token)) return 1;
  if (object->owner() != token.owner()) return 0;
  const Ref result(delegate("xichan._state", "task_holds", handle, nullptr, 0, nullptr));
  return result ? result.get() == Py_True : -1;
}

PyObject* lock_result(const ModuleState& state, SharedLock::Attempt attempt) noexcept {
  if (attempt == SharedLock::Attempt::acquired) Py_RETURN_TRUE;
  if (attempt == SharedLock::Attempt::busy) Py_RETURN_FALSE;
  PyErr_SetString(state.error(ErrorClass::owner_died),
                  "the interpreter that held the lock has ended; the lock is free, but what it protects may be half "
                  "changed");
  return nullptr;
}

PyObject* acquire_lock(ModuleState& state, SharedLock& object, const Timeout& timeout) noexcept {
  const Token token = thread_token(state);
  const SharedLock::Attempt attempt = object.try_acquire(token);
  if (attempt != SharedLock::Attempt::busy || timeout.now) return lock_result(state, attempt);
  Request request = SharedLock::request_of(token);
  Status status;
  if (!wait_acquired(state, object, request, timeout, status)) return nullptr;
  if (status == Status::timeout) Py_RETURN_FALSE;
  if (status != Status::ok) return raise(state, status);
  return lock_result(state, static_cast<SharedLock::Attempt>(request.answer));
}

PyType_Spec lock_spec = {"xichan.Lock", sizeof(StateHandle), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                         lock_slots};
PyType_Spec rlock_spec = {"xichan.RLock", sizeof(StateHandle), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                          rlock_slots};

}  // namespace xichan::python
