#include "state/waiting.h"

namespace xichan::python {
namespace {

// One round of a wait; see sleep_detached.
Status sleep_admitted(EndpointOwner& owner, Turnstile& object, Request& request, const Timeout& timeout, bool sliced,
                      WaitRounds& rounds) noexcept {
  object.retain();  // for a call that never returns, whose handle may be gone
  const Status status = sleep_detached(
      owner, timeout, sliced, false, rounds,
      [&](const WaitLimits& limits) noexcept {
        // `timeout` before the deadline stands for the end of the interpreter.
        return owner.has_ended() ? Status::timeout : object.wait(request, limits);
      },
      [](Status) noexcept {},
      [&](Status result) noexcept {
        if (result == Status::ok) object.withdraw(request);
        object.give_up(request);
        object.release();
      });
  object.release();
  return status;
}

}  // namespace

bool wait_admitted(ModuleState& state, Turnstile& object, Request& request, const Timeout& timeout, Status& status,
                   const char* call) noexcept {
  EndpointOwner& owner = state.endpoints->owner;
  const bool sliced = runs_signal_handlers();
  WaitReport report = report_wait(owner, call == nullptr ? object.call_name() : call, timeout);
  WaitRounds rounds{.report = report};
  rounds.looks_for_loans = most_looks_for_loans;
  for (;;) {
    if (object.is_inherited()) {  // a signal handler has forked: this is the child
      raise_inherited(state);
      return false;
    }
    if (owner.has_ended()) {
      status = Status::exiting;
      return true;
    }
    status = sleep_admitted(owner, object, request, timeout, sliced, rounds);
    if (status == Status::end_closed && owner.has_ended()) status = Status::exiting;
    if (status != Status::interrupted) return true;
    if (!check_interrupts()) return false;
  }
}

bool wait_acquired(ModuleState& state, Turnstile& object, Request& request, const Timeout& timeout,
                   Status& status) noexcept {
  if (!wait_admitted(state, object, request, timeout, status)) return false;
  if (status != Status::ok || !is_interrupted()) return true;
  object.withdraw(request);
  (void)check_interrupts();
  return false;
}

Status wait_uninterrupted(ModuleState& state, Turnstile& object, Request& request) noexcept {
  EndpointOwner& owner = state.endpoints->owner;
  const Timeout forever;
  WaitReport report = report_wait(owner, object.call_name(), forever);
  WaitRounds rounds{.outlasts_interrupts = true, .report = report};
  for (;;) {
    if (owner.has_ended() || object.is_inherited()) return Status::exiting;
    const Status status = sleep_admitted(owner, object, request, forever, false, rounds);
    if (status != Status::interrupted) return status;
  }
}

bool parse_acquire(PyObject* const* args, Py_ssize_t count, PyObject* keywords, Timeout& timeout) noexcept {
  static constexpr const char* names[] = {"blocking", "timeout"};
  static constexpr Signature signature{"acquire", names, 0, 2};
  PyObject* values[2] = {};
  bool blocking = true;
  if (count == 0 && keywords == nullptr) return true;
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_flag(values[0], blocking)) return false;
  // -1 stands for no timeout, as in threading.
  const bool forever = values[1] == nullptr || values[1] == Py_None ||
                       (PyLong_Check(values[1]) && PyLong_AsLong(values[1]) == -1 && !PyErr_Occurred()) ||
                       (PyFloat_Check(values[1]) && PyFloat_AS_DOUBLE(values[1]) == -1.0);
  PyErr_Clear();
  if (!blocking) {
    timeout.now = true;
    if (forever) return true;
    PyErr_SetString(PyExc_ValueError, "cannot specify a timeout for a non-blocking call");
    return false;
  }
  return forever || parse_timeout(values[1], timeout);
}

}  // namespace xichan::python
