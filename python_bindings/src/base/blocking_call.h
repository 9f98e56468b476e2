// Calls that may block: they detach from the interpreter while they wait.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/arguments.h"
#include "base/call_site.h"
#include "base/exit.h"
#include "base/lending.h"
#include "base/state.h"
#include "base/wait_note.h"
#include "endpoint/endpoint.h"
#include "sync/spin.h"
#include "trace/trace.h"
#include "value/message.h"

namespace xichan::python {

/// Python's signal handlers run only in the main thread of the main interpreter. The kernel may deliver a signal to
/// another thread, or between the check and the futex wait. So the main thread, and no other, re-checks at this
/// interval.
inline constexpr std::int64_t signal_slice_ns = 50'000'000;

/// Returns true if `check_interrupts` will run signal handlers. Attached.
inline bool has_signals() noexcept {
  constexpr std::uintptr_t pending = 1u << 1;  // _PY_SIGNALS_PENDING_BIT
  return __atomic_load_n(&PyThreadState_Get()->eval_breaker, __ATOMIC_RELAXED) & pending;
}

/// Returns true if an asynchronous exception is set for the calling thread, see embed/task_board.h. Attached.
inline bool is_interrupted() noexcept { return PyThreadState_Get()->async_exc != nullptr; }

/// Raises that exception, or runs signal handlers. Returns false with an exception set.
inline bool check_interrupts() noexcept {
  PyObject* const error = std::exchange(PyThreadState_Get()->async_exc, nullptr);
  if (error == nullptr) return PyErr_CheckSignals() == 0;
  PyErr_SetNone(error);
  Py_DECREF(error);
  return false;
}

/// What the rounds of a wait have in common. Belongs to the call.
struct WaitRounds {
  Deadline exit_deadline = Deadline::never();
  /// How often the thread still wakes up to take back loans.
  int looks_for_loans = 0;
  /// The wait goes on if its thread is interrupted, which raises after the call.
  bool outlasts_interrupts = false;
  /// What readers of the page see.
  WaitReport& report;
};
/// A call may wait for hours, but what was sent before it is usually received soon.
inline constexpr int most_looks_for_loans = 3;
inline constexpr std::int64_t loans_slice_ns = 700'000'000;  // more than a nap (sync/nap.h)

inline bool runs_signal_handlers() noexcept {
  return PyInterpreterState_Get() == PyInterpreterState_Main() && syscall(SYS_gettid) == getpid();
}

/// Blocks until the process exits. For a thread whose interpreter has ended during its call: its thread state is being
/// freed, so attaching would crash.
[[noreturn]] inline void park_forever() noexcept {
  for (;;) pause();
}

/// Releases the values of a call that succeeded too late, because its interpreter has been finalized: the value it
/// received and the values it did not send.
inline void release_cells(std::span<const Case> cases, std::size_t chosen) noexcept {
  for (std::size_t i = 0; i < cases.size(); ++i) {
    if (i != chosen || cases[i].side == Side::receiver) release(cases[i].cell);
  }
}

/// Makes the report of a call that is about to block in the attached interpreter.
inline WaitReport report_wait(const EndpointOwner& owner, const char* call, const Timeout& timeout,
                              bool outlasts_exit = false) noexcept {
  std::uint32_t flags = timeout.deadline.is_never() ? 0u : std::uint32_t{WaitReport::has_timeout};
  if (outlasts_exit && is_called_by_package_alone()) flags |= WaitReport::is_idle;
  return WaitReport(call, flags, find_call_site().as_caller(owner.interpreter.load(memory_order_relaxed)));
}

/// Performs one round of a wait, detached from the interpreter. Repeats `wait(limits)` after each interruption, except
/// in the thread that runs signal handlers; any other thread must not attach needlessly while its interpreter is being
/// finalized. While objects of the interpreter are lent, it does so a few times to take them back. Returns the status
/// of the wait, with `exiting` in place of a timeout that is not the caller's own. `before_attach(status)` runs before
/// attaching and releases what must not be held meanwhile; `if_ended(status)` runs after it if the interpreter has
/// ended. `rounds.exit_deadline` bounds all rounds of a call, unless `outlasts_exit` is true.
template <class Wait, class BeforeAttach, class IfEnded>
Status sleep_detached(EndpointOwner& owner, const Timeout& timeout, bool sliced, bool outlasts_exit, WaitRounds& rounds,
                      Wait wait, BeforeAttach before_attach, IfEnded if_ended) noexcept {
  Deadline& exit_deadline = rounds.exit_deadline;
  // No interrupt is missed: its thread holds the lock of the interpreter. If it precedes this wait, its exception is
  // set here; otherwise it changes the count that the wait compares.
  if (!rounds.outlasts_interrupts && is_interrupted()) {
    before_attach(Status::interrupted);
    return Status::interrupted;
  }
  std::uint32_t interrupts = owner.interrupts();
  owner.enter();
  take_back_loans(owner);
  const bool looks = !sliced && !owner.is_exiting() && rounds.looks_for_loans != 0 && owner.lender != nullptr &&
                     owner.lender->has_lent();
  if (looks) --rounds.looks_for_loans;
  // Also without a trace: one may begin meanwhile.
  Trace::set_interpreter(PyInterpreterState_GetID(PyInterpreterState_Get()));
  PyThreadState* thread = PyEval_SaveThread();
  Status status;
  do {
    const bool exiting = outlasts_exit || owner.is_exiting();
    if (exiting && !outlasts_exit && exit_deadline.is_never()) exit_deadline = ExitPatience::deadline();
    const Deadline slice = sliced  ? Deadline::after(signal_slice_ns)
                           : looks ? Deadline::after(loans_slice_ns)
                                   : Deadline::never();
    if (rounds.outlasts_interrupts) interrupts = owner.interrupts();
    WaitLimits limits = owner.limits(earlier(timeout.deadline, exit_deadline), slice, exiting, interrupts);
    limits.report = &rounds.report;
    status = wait(limits);
  } while (status == Status::interrupted && !sliced && (!looks || owner.is_exiting()) &&
           (rounds.outlasts_interrupts || owner.interrupts() == interrupts));
  if (status != Status::interrupted) rounds.report.hide();  // now: attaching may take long
  if (status == Status::timeout && !timeout.deadline.passed()) status = Status::exiting;
  before_attach(status);
  if (!owner.returns.enter()) {
    rounds.report.hide();
    if_ended(status);
    park_forever();
  }
  PyEval_RestoreThread(thread);
  owner.returns.leave();
  owner.leave();
  take_back_loans(owner);
  if (has_signals()) rounds.report.hide();  // its thread is about to run other code
  if (status == Status::ok && !exit_deadline.is_never()) ExitPatience::renew();
  return status;
}

/// Gives up the cases of an interrupted call. The channel of an endpoint that has been closed may no longer exist.
inline void give_up_open(std::span<Endpoint* const> endpoints, std::span<const Case> cases) noexcept {
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    if (!endpoints[i]->is_closed()) give_up(cases[i]);
  }
}

/// Returns true if the other side of these cases does not notice that the thread leaves the wait lists for a moment:
/// a rendezvous needs it there, and a sender may have claimed bytes.
inline bool may_leave(std::span<const Case> cases) noexcept {
  return std::ranges::all_of(cases, [](const Case& c) noexcept {
    return c.side == Side::receiver && c.channel->flavor() != Flavor::rendezvous;
  });
}

/// Returns the name of a call on these cases.
inline const char* call_name(std::span<const Case> cases) noexcept {
  if (cases.size() != 1) return "select";
  return cases[0].side == Side::sender ? "Sender.send" : "Receiver.recv";
}

/// What most calls do once they know that they never return.
struct DoNothing {
  void operator()(Status) const noexcept {}
};

/// Blocks, detached, until one of the `cases`, which belong to `endpoints`, is decided; resumes after interruptions.
/// False with an exception set if a signal handler raised or the thread is interrupted; then the call has sent and
/// received nothing.
///
/// While attaching, the thread holds no lock, has no linked node and owns no pin: if its interpreter has been
/// finalized, attaching never returns. So a failed call runs `abandon` before it attaches, to release what it holds. A
/// call that never returns then runs `never_returns(status)`, to release what the caller still has.
template <class Abandon, class NeverReturns = DoNothing>
bool wait_detached(EndpointOwner& owner, std::span<Endpoint* const> endpoints, std::span<Case> cases,
                   const Timeout& timeout, Status& status, std::size_t& chosen, Abandon abandon,
                   NeverReturns never_returns = {}) noexcept {
  const bool sliced = runs_signal_handlers();
  const bool outlasts_exit = std::ranges::all_of(cases, [](const Case& c) { return c.channel->outlasts_exit(); });
  WaitReport report = report_wait(owner, call_name(cases), timeout, outlasts_exit);
  WaitRounds rounds{.report = report};
  if (may_leave(cases)) rounds.looks_for_loans = most_looks_for_loans;
  for (;;) {
    if (owner.has_ended()) {  // called by a finalizer of an interpreter that has released its endpoints
      abandon();
      status = Status::exiting;
      return true;
    }
    for (Endpoint* endpoint : endpoints) endpoint->enter();
    status = sleep_detached(
        owner, timeout, sliced, outlasts_exit, rounds,
        [&](const WaitLimits& limits) noexcept { return wait_any(cases, limits, chosen); },
        [&](Status result) noexcept {
          for (const Case& c : cases) c.channel->unpin();
          if (result != Status::ok && result != Status::interrupted) abandon();
        },
        [&](Status result) noexcept {
          if (result == Status::ok) release_cells(cases, chosen);
          if (result == Status::interrupted) abandon();  // to look for loans
          never_returns(result);
        });
    for (Endpoint* endpoint : endpoints) endpoint->leave();
    if (status != Status::interrupted) return true;
    const bool raised = !check_interrupts();
    bool closed = false;
    for (const Endpoint* endpoint : endpoints) closed = closed || endpoint->is_closed();  // by a signal handler
    if (raised || closed) give_up_open(endpoints, cases);
    if (raised) {
      abandon();
      return false;
    }
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
      if (!endpoints[i]->is_closed()) continue;
      abandon();
      chosen = i;
      status = Status::end_closed;
      return true;
    }
  }
}

/// Attempts a call on one endpoint without blocking. Returns true if it is decided, with the result in `status`.
[[gnu::always_inline]] inline bool attempt(Endpoint& endpoint, Side side, Cell& cell, Line* line,
                                           Status& status) noexcept {
  status = side == Side::receiver ? endpoint.try_recv(cell, line)
           : line == nullptr      ? endpoint.try_send(cell)
                                  : endpoint.try_send_line(cell, *line);
  return status != Status::full && status != Status::empty;
}

/// Continues a call whose first attempt found the channel full or empty: spins briefly while attached, then waits
/// detached. Returns as `wait_detached` does, but leaves `full` or `empty` in `status` if the timeout is zero, and
/// `interrupted` if a value was received but the thread is interrupted: returning the value would lose it, because
/// CPython raises before the caller can store it.
template <class Abandon, class NeverReturns>
[[gnu::noinline]] bool call_again(EndpointOwner& owner, Endpoint& endpoint, Cell& cell, Line* line,
                                  const Timeout& timeout, Status& status, Abandon abandon,
                                  NeverReturns never_returns) noexcept {
  const auto again = [&]() noexcept { return attempt(endpoint, endpoint.side(), cell, line, status); };
  // A caller that sent since it last blocked expects a reply; otherwise it is streaming.
  const bool expects_reply = std::exchange(owner.has_sent, false) && endpoint.side() == Side::receiver;
  if (timeout.now || spin(attached_spin_ns, expects_reply ? reply_pauses : stream_pauses, again)) {
    if (status != Status::ok) abandon();
    return true;
  }
  Endpoint* const endpoints[] = {&endpoint};
  Case cases[] = {endpoint.as_case(cell)};
  cases[0].line = line;
  std::size_t chosen;
  if (!wait_detached(owner, endpoints, cases, timeout, status, chosen, abandon, never_returns)) {
    note_interrupted_wait(endpoint);
    return false;
  }
  cell = cases[0].cell;
  if (status == Status::ok && endpoint.side() == Side::receiver && is_interrupted()) status = Status::interrupted;
  return true;
}

/// Performs a call on one endpoint of the given side, blocking if necessary. Returns as `call_again` does. A `line` is
/// that of the message: see Channel::try_recv and try_send_line.
template <class Abandon, class NeverReturns = DoNothing>
[[gnu::always_inline]] inline bool call(EndpointOwner& owner, Endpoint& endpoint, Side side, Cell& cell,
                                        const Timeout& timeout, Status& status, Abandon abandon,
                                        NeverReturns never_returns = {}, Line* line = nullptr) noexcept {
  if (!attempt(endpoint, side, cell, line, status)) {
    return call_again(owner, endpoint, cell, line, timeout, status, abandon, never_returns);
  }
  if (side == Side::sender) owner.has_sent = true;
  if (status != Status::ok) abandon();
  return true;
}

}  // namespace xichan::python
