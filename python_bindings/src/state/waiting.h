// Calls that wait at a Turnstile, detached from the interpreter.
#pragma once

#include "base/blocking_call.h"
#include "base/state_handle.h"
#include "state/turnstile.h"

namespace xichan::python {

/// Blocks until the object admits the request: `ok`, `timeout`, `exiting`, or `end_closed` if `request.ended`. False
/// with an exception set if a signal handler raised, or forked, in the child, or if the thread is interrupted; then the
/// call is not admitted. What a call is admitted to that never returns, because its interpreter has ended, is released.
/// `call`: the name that is shown; null: that of `object`.
bool wait_admitted(ModuleState& state, Turnstile& object, Request& request, const Timeout& timeout, Status& status,
                   const char* call = nullptr) noexcept;
/// Does the same for a lock or semaphore, which it releases if the thread is interrupted: the exception is raised
/// before the caller could release it.
bool wait_acquired(ModuleState& state, Turnstile& object, Request& request, const Timeout& timeout,
                   Status& status) noexcept;
/// Does the same as `wait_admitted`, but leaves signals and interrupts pending: for what must be done before a call may
/// raise. Never false.
Status wait_uninterrupted(ModuleState& state, Turnstile& object, Request& request) noexcept;

/// The methods `_join` let a coroutine join the queue of an object. Returns (watch, admitted), where `watch` is a
/// `_StateWatch`, which keeps `keeps` alive, if that is not null. Null with an exception set.
PyObject* join_queue(ModuleState& state, Turnstile& object, const Request& request, PyObject* notifier,
                     unsigned long long key, PyObject* keeps = nullptr) noexcept;
extern PyType_Spec state_watch_spec;

/// Parses the arguments of acquire(blocking=True, timeout=-1), as in threading. False with an exception set.
bool parse_acquire(PyObject* const* args, Py_ssize_t count, PyObject* keywords, Timeout& timeout) noexcept;

}  // namespace xichan::python
