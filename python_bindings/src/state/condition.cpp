#include "state/condition.h"

#include "base/ref.h"
#include "ends/async.h"
#include "state/locking.h"
#include "state/record.h"
#include "state/state_type.h"

namespace xichan::python {
namespace {

using Attempt = SharedLock::Attempt;

bool is_lock(const ModuleState& state, PyObject* object) noexcept {
  return Py_IS_TYPE(object, state.type_of(StateKind::lock)) || Py_IS_TYPE(object, state.type_of(StateKind::rlock));
}

PyObject* condition_new(PyTypeObject* type, PyObject* args, PyObject* keywords) noexcept {
  static const char* names[] = {"lock", "name", nullptr};
  PyObject *lock = Py_None, *named = nullptr;
  std::string_view name;
  ModuleState& state = state_of_type(type);
  if (!PyArg_ParseTupleAndKeywords(args, keywords, "|O$O:Condition", const_cast<char**>(names), &lock, &named) ||
      !parse_channel_name(named, name)) {
    return nullptr;
  }
  if (lock != Py_None && !is_lock(state, lock)) {
    return PyErr_Format(PyExc_TypeError, "lock must be a xichan.Lock, a xichan.RLock or None, got %T", lock);
  }
  const Ref guard(lock != Py_None ? Py_NewRef(lock)
                                  : new_object(state, new (std::nothrow) SharedLock(true), {}, nullptr));
  auto* const object = guard ? usable<SharedLock>(guard.get()) : nullptr;
  if (object == nullptr) return nullptr;
  object->retain();
  auto* const condition = new (std::nothrow) SharedCondition(*object);
  if (condition == nullptr) object->release();
  PyObject* const self = new_object(state, condition, name, named);
  if (self != nullptr) as_state_handle(self)->extra = Py_NewRef(guard.get());
  return self;
}

// Returns the handle of the lock (borrowed), which a handle that was received does not have at first. Null with an
// exception set.
PyObject* lock_of(PyObject* self) noexcept {
  StateHandle* const handle = as_state_handle(self);
  if (handle->extra == nullptr) {
    auto* object = usable<SharedCondition>(self);
    if (object == nullptr) return nullptr;
    object->guard().retain();
    handle->extra = new_state_handle(*handle->state, &object->guard());
  }
  return handle->extra;
}

PyObject* get_lock(PyObject* self, void*) noexcept { return Py_XNewRef(lock_of(self)); }

PyObject* acquire(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  Timeout timeout;
  if (!parse_acquire(args, count, keywords, timeout)) return nullptr;
  auto* object = usable<SharedCondition>(self);
  return object == nullptr ? nullptr : acquire_lock(*as_state_handle(self)->state, object->guard(), timeout);
}

PyObject* release(PyObject* self, PyObject*) noexcept {
  PyObject* const lock = lock_of(self);
  return lock == nullptr ? nullptr : release_lock(lock);
}

PyObject* enter_block(PyObject* self, PyObject*) noexcept { return acquire(self, nullptr, 0, nullptr); }
PyObject* leave_block(PyObject* self, PyObject*) noexcept { return release(self, nullptr); }

PyObject* locked(PyObject* self, PyObject*) noexcept {
  auto* object = usable<SharedCondition>(self);
  return object == nullptr ? nullptr : PyBool_FromLong(object->guard().is_locked());
}

void raise_not_held(const char* call) noexcept {
  PyErr_Format(PyExc_RuntimeError, "%s() needs the lock of the condition; acquire it first", call);
}

// Acquires the lock again, in any case, before wait() returns or raises. Sets `died` if its owner died meanwhile.
// Returns false only if the interpreter shuts down.
bool acquire_again(ModuleState& state, SharedLock& lock, Token token, std::uint64_t depth, bool& died) noexcept {
  for (;;) {
    Attempt attempt = lock.try_acquire(token);
    if (attempt == Attempt::busy) {
      Request request = SharedLock::request_of(token);
      if (wait_uninterrupted(state, lock, request) != Status::ok) return false;
      attempt = static_cast<Attempt>(request.answer);
    }
    if (attempt == Attempt::acquired) break;
    died = true;
  }
  lock.restore(depth);
  return true;
}

// Waits once. Returns 1 if the call was notified, 0 after the timeout, -1 with an exception set.
int wait_once(PyObject* self, const char* call, const Timeout& timeout) noexcept {
  auto* object = usable<SharedCondition>(self);
  if (object == nullptr) return -1;
  ModuleState& state = *as_state_handle(self)->state;
  SharedLock& lock = object->guard();
  const Token token = thread_token(state);
  WaitRecord record;
  object->enter(record);
  const std::uint64_t depth = lock.release_all(token);
  if (depth == 0) {
    object->leave(record, false);
    raise_not_held(call);
    return -1;
  }
  Request request = SharedCondition::request_of(record);
  Status status = Status::timeout;
  const bool returns = timeout.now || wait_admitted(state, *object, request, timeout, status);
  if (object->is_inherited()) return -1;  // in the child, which has neither the condition nor its lock
  const bool notified = object->leave(record, returns) == WaitRecord::Outcome::passed;
  PyObject* const raised = PyErr_GetRaisedException();  // by a signal handler
  bool died = false;
  const bool holds = acquire_again(state, lock, token, depth, died);
  if (notified && (died || !holds)) object->notify(1);  // it raises instead
  if (raised != nullptr) {
    PyErr_SetRaisedException(raised);
  } else if (!holds || (!notified && status == Status::exiting)) {
    xichan::python::raise(state, Status::exiting);
  } else if (died) {
    PyErr_SetString(state.error(ErrorClass::owner_died),
                    "the interpreter that held the lock has ended; this call holds it now, but what it protects may be "
                    "half changed");
  } else {
    return notified;
  }
  return -1;
}

PyObject* wait(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"timeout"};
  static constexpr Signature signature{"wait", names, 0, 1};
  PyObject* value = nullptr;
  Timeout timeout;
  if (!parse_arguments(signature, args, count, keywords, &value) || !parse_timeout(value, timeout)) return nullptr;
  const int notified = wait_once(self, "wait", timeout);
  return notified < 0 ? nullptr : PyBool_FromLong(notified);
}

PyObject* wait_for(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"predicate", "timeout"};
  static constexpr Signature signature{"wait_for", names, 1, 2};
  PyObject* values[2];
  Timeout timeout;
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_timeout(values[1], timeout)) return nullptr;
  for (bool last = false;;) {
    Ref result(PyObject_CallNoArgs(values[0]));
    if (!result) return nullptr;
    const int holds = PyObject_IsTrue(result.get());
    if (holds < 0) return nullptr;
    if (holds != 0 || last || timeout.now || timeout.deadline.passed()) return result.release();
    const int notified = wait_once(self, "wait_for", timeout);
    if (notified < 0) return nullptr;
    last = notified == 0;
  }
}

PyObject* notify_waiters(PyObject* self, const char* call, std::uint64_t count) noexcept {
  PyObject* const lock = lock_of(self);
  const int holds = lock == nullptr ? -1 : holds_lock(lock);
  if (holds == 0) raise_not_held(call);
  if (holds <= 0) return nullptr;
  auto* object = usable<SharedCondition>(self);
  if (object == nullptr) return nullptr;
  object->notify(count);
  Py_RETURN_NONE;
}

PyObject* notify(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"n"};
  static constexpr Signature signature{"notify", names, 0, 1};
  PyObject* value = nullptr;
  std::uint64_t calls = 1;
  if (!parse_arguments(signature, args, count, keywords, &value) ||
      (value != nullptr && !parse_int("n", value, 0, INT64_MAX, calls))) {
    return nullptr;
  }
  return notify_waiters(self, "notify", calls);
}

PyObject* notify_all(PyObject* self, PyObject*) noexcept { return notify_waiters(self, "notify_all", UINT64_MAX); }

// _enter(unit) -> (record, depth): begins the wait of a task and releases the lock.
PyObject* enter(PyObject* self, PyObject* number) noexcept {
  ModuleState& state = *as_state_handle(self)->state;
  Token token;
  if (!parse_token(state, number, token)) return nullptr;
  auto* object = usable<SharedCondition>(self);
  if (object == nullptr) return nullptr;
  Ref record(new_record(state, *object));
  if (!record) return nullptr;
  object->enter(*record_of(record.get()));
  const std::uint64_t depth = object->guard().release_all(token);
  if (depth == 0) {
    raise_not_held("wait");
    return nullptr;  // the record ends the call
  }
  return Py_BuildValue("NK", record.release(), static_cast<unsigned long long>(depth));
}

PyObject* on_lock(const char* function, PyObject* self, PyObject* const* args, Py_ssize_t count) noexcept {
  PyObject* const lock = lock_of(self);
  return lock == nullptr ? nullptr : delegate("xichan._state", function, lock, args, count, nullptr);
}
PyObject* aacquire(PyObject* self, PyObject*) noexcept { return on_lock("acquire", self, nullptr, 0); }
PyObject* aenter(PyObject* self, PyObject*) noexcept { return on_lock("aenter", self, nullptr, 0); }
PyObject* aexit(PyObject* self, PyObject* args) noexcept {
  return on_lock("aexit", self, PySequence_Fast_ITEMS(args), PyTuple_GET_SIZE(args));
}
PyObject* await_for(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  return delegate("xichan._state", "await_for", self, args, count, keywords);
}
PyObject* await(PyObject* self) noexcept {
  return delegate("xichan._state", "await_condition", self, nullptr, 0, nullptr);
}

PyObject* condition_repr(PyObject* self) noexcept {
  const StateObject* object = as_state_handle(self)->reference->object();
  if (object == nullptr || object->is_inherited()) return repr_of(self, "");
  auto& condition = *static_cast<SharedCondition*>(as_state_handle(self)->reference->object());
  return repr_of(self, condition.guard().is_locked() ? " locked" : " unlocked");
}

PyDoc_STRVAR(condition_doc,
"Condition(lock=None, *, name=None)\n--\n\n"
"Where threads that hold a lock wait until another one notifies them. As threading.Condition, across interpreters.\n\n"
"lock: Lock or RLock, which travels with the condition; several conditions may share it. None for a new RLock.\n"
"name: str, under which Condition.lookup() finds it in every interpreter; None for no name.\n\n"
"A notification goes to the call that has waited longest, and to the next one if that call ends without it. Usable in\n"
"with and async with, which hold the lock; awaiting it waits as wait() does. Thread-safe.");

PyDoc_STRVAR(acquire_doc,
"acquire($self, /, blocking=True, timeout=-1)\n--\n\n"
"Acquire the lock. See Lock.acquire().");

PyDoc_STRVAR(release_doc,
"release($self, /)\n--\n\n"
"Release the lock. See Lock.release().");

PyDoc_STRVAR(locked_doc,
"locked($self, /)\n--\n\n"
"Return True if the lock is held.");

PyDoc_STRVAR(wait_doc,
"wait($self, /, timeout=None)\n--\n\n"
"Release the lock, block until notified, and acquire the lock again. Return True, or False after the timeout.\n\n"
"timeout: seconds (int or float, not negative); None blocks indefinitely.\n\n"
"The caller holds the lock again, as often as before, whether wait() returns or raises: what a signal handler raised, or\n"
"OwnerDied if the interpreter of an owner ended meanwhile. Only ChannelClosed, while the interpreter shuts down, may be\n"
"raised without it. Acquiring the lock again has no timeout, and leaves signals pending.\n\n"
"Raises RuntimeError if the lock is not held, for an RLock by the caller.");

PyDoc_STRVAR(wait_for_doc,
"wait_for($self, /, predicate, timeout=None)\n--\n\n"
"Call predicate() and wait(), in turn, until the result is true. Return it, or the last one after the timeout.\n\n"
"predicate: callable without arguments, called while the lock is held.\n"
"timeout: seconds (int or float, not negative) for all calls of wait() together; None blocks indefinitely.\n\n"
"Raises what predicate() raises, and as wait() does.");

PyDoc_STRVAR(notify_doc,
"notify($self, /, n=1)\n--\n\n"
"Wake up to n calls of wait(), those that have waited longest. They return once they have acquired the lock.\n\n"
"Raises RuntimeError if the lock is not held, for an RLock by the caller. Never blocks.");

PyDoc_STRVAR(notify_all_doc,
"notify_all($self, /)\n--\n\n"
"Wake all calls of wait(). Raises as notify() does. Never blocks.");

PyDoc_STRVAR(aacquire_doc,
"aacquire($self, /)\n--\n\n"
"Coroutine: wait in the running asyncio event loop as acquire() does. A cancelled call does not hold the lock.");

PyDoc_STRVAR(await_for_doc,
"await_for($self, /, predicate)\n--\n\n"
"Coroutine: wait in the running asyncio event loop as wait_for() does. A cancelled call holds the lock again when it\n"
"raises, and passes its notification on.");

PyMethodDef methods[] = {
    {"acquire", as_method(acquire), METH_FASTCALL | METH_KEYWORDS, acquire_doc},
    {"release", release, METH_NOARGS, release_doc},
    {"locked", locked, METH_NOARGS, locked_doc},
    {"wait", as_method(wait), METH_FASTCALL | METH_KEYWORDS, wait_doc},
    {"wait_for", as_method(wait_for), METH_FASTCALL | METH_KEYWORDS, wait_for_doc},
    {"notify", as_method(notify), METH_FASTCALL | METH_KEYWORDS, notify_doc},
    {"notify_all", notify_all, METH_NOARGS, notify_all_doc},
    {"aacquire", aacquire, METH_NOARGS, aacquire_doc},
    {"await_for", as_method(await_for), METH_FASTCALL | METH_KEYWORDS, await_for_doc},
    {"_enter", enter, METH_O, nullptr},
    {"_join", join_by_record, METH_VARARGS, nullptr},
    {"__enter__", enter_block, METH_NOARGS, nullptr},
    {"__exit__", leave_block, METH_VARARGS, nullptr},
    {"__aenter__", aenter, METH_NOARGS, nullptr},
    {"__aexit__", aexit, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef properties[] = {
    {"lock", get_lock, nullptr, "Lock or RLock: the lock of the condition.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_doc, const_cast<char*>(condition_doc)},
    {Py_tp_new, reinterpret_cast<void*>(condition_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(state_handle_dealloc)},
    {Py_tp_repr, reinterpret_cast<void*>(condition_repr)},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {Py_am_await, reinterpret_cast<void*>(await)},
    {0, nullptr},
};

}  // namespace

PyType_Spec condition_spec = {"xichan.Condition", sizeof(StateHandle), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                              slots};

}  // namespace xichan::python
