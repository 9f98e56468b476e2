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

/// Converts what a lock returned: True, False, or null with OwnerDied set.
PyObject* lock_result(const ModuleState& state, SharedLock::Attempt attempt) noexcept;

}  // namespace xichan::python
