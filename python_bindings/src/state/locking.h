// Acquiring locks on behalf of threads, for Lock, RLock and Condition.
#pragma once

#include "state/lock.h"
#include "state/waiting.h"

namespace xichan::python {

/// Returns the token by which the calling thread owns locks.
Token thread_token(const ModuleState& state) noexcept;

/// Acquires a lock for the calling thread: True, or False after the timeout. Null with an exception set: OwnerDied, or
/// that of a signal handler; then the lock is not acquired.
PyObject* acquire_lock(ModuleState& state, SharedLock& object, const Timeout& timeout) noexcept;

/// Releases a lock, of whose handle this is the method release().
PyObject* release_lock(PyObject* handle) noexcept;

/// Returns 1 if the caller, a thread or the running task of an event loop, holds the lock of this handle, 0 if not; for
/// one that is not recursive, whether it is held at all. -1 with an exception set.
int holds_lock(PyObject* handle) noexcept;

/// Parses the number of a task, or 0 for the calling thread. False with an exception set.
bool parse_token(const ModuleState& state, PyObject* number, Token& token) noexcept;

/// Converts what a lock returned: True, False, or null with OwnerDied set.
PyObject* lock_result(const ModuleState& state, SharedLock::Attempt attempt) noexcept;

}  // namespace xichan::python
