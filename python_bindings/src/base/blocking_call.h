// Leaving the interpreter for a call that may block, and coming back.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

#include "base/arguments.h"
#include "base/state.h"
#include "endpoint/endpoint.h"
#include "sync/spin.h"
#include "value/message.h"

namespace xichan::python {

/// Signal handlers run in the main thread of the main interpreter alone, and the kernel may deliver a signal between
/// our look and the futex, or to another thread. So that thread, and no other, looks again at this interval.
inline constexpr std::int64_t signal_slice_ns = 50'000'000;

inline bool runs_signal_handlers() noexcept {
  return PyInterpreterState_Get() == PyInterpreterState_Main() && syscall(SYS_gettid) == getpid();
}

/// The interpreter of this thread has ended around its call, and its thread state is being freed: attaching would
/// crash. The thread sleeps until the process ends.
[[noreturn]] inline void park_forever() noexcept {
  for (;;) pause();
}

/// What a call that has succeeded took just now, and what it did not send, goes with its interpreter.
inline void give_back_cells(std::span<const Case> cases, std::size_t chosen) noexcept {
  for (std::size_t i = 0; i < cases.size(); ++i) {
    if (i != chosen || cases[i].side == Side::receiver) release(cases[i].cell);
  }
}

/// One round of a wait, detached: `wait(limits)` again after each interruption, but for the one thread that runs signal
/// handlers; no other comes back for that, because it must not attach for nothing while its interpreter ends. What it
/// answered; `exiting` in place of a time-out that is not the caller's own. `settle(status)` runs before attaching, and
/// gives back what must not be held meanwhile; `give_up(status)` after it, if there is nothing left to come back to.
/// `patience` is the caller's, for all rounds of one call.
template <class Wait, class Settle, class GiveUp>
Status sleep_detached(EndpointOwner& owner, const Timeout& timeout, bool sliced, Deadline& patience, Wait wait,
                      Settle settle, GiveUp give_up) noexcept {
  owner.enter();
  PyThreadState* thread = PyEval_SaveThread();
  Status status;
  do {
    const bool exiting = owner.is_exiting();
    if (exiting && patience.is_never()) patience = Deadline::after(exit_patience_ns);
    const Deadline slice = sliced ? Deadline::after(signal_slice_ns) : Deadline::never();
    status = wait(owner.limits(earlier(timeout.deadline, patience), slice, exiting));
  } while (status == Status::interrupted && !sliced);
  if (status == Status::timeout && !timeout.deadline.passed()) status = Status::exiting;
  settle(status);
  if (owner.has_ended()) {
    give_up(status);
    park_forever();
  }
  PyEval_RestoreThread(thread);
  owner.leave();
  return status;
}

/// Waits detached for one of the `cases`, which stand for calls on `ends`, again after each interruption, until it is
/// decided. False with an exception set if a signal handler raised; then the call has sent and taken nothing.
///
/// While attaching, no lock is held, no node is linked and no pin is owned: a thread whose interpreter has gone never
/// comes back from there. So `abandon` runs detached, before, when the call has failed: it gives back what it holds.
template <class Abandon>
bool wait_detached(EndpointOwner& owner, std::span<Endpoint* const> ends, std::span<Case> cases, const Timeout& timeout,
                   Status& status, std::size_t& chosen, Abandon abandon) noexcept {
  const bool sliced = runs_signal_handlers();
  Deadline patience = Deadline::never();
  for (;;) {
    if (owner.has_ended()) {  // a finalizer's call: there will be nothing to come back to
      abandon();
      status = Status::exiting;
      return true;
    }
    for (Endpoint* end : ends) end->enter();
    status = sleep_detached(
        owner, timeout, sliced, patience,
        [&](const WaitLimits& limits) noexcept { return wait_any(cases, limits, chosen); },
        [&](Status answer) noexcept {
          for (const Case& c : cases) c.channel->unpin();
          if (answer != Status::ok && answer != Status::interrupted) abandon();
        },
        [&](Status answer) noexcept {
          if (answer == Status::ok) give_back_cells(cases, chosen);
        });
    for (Endpoint* end : ends) end->leave();
    if (status != Status::interrupted) return true;
    if (PyErr_CheckSignals() < 0) {
      abandon();
      return false;
    }
    for (std::size_t i = 0; i < ends.size(); ++i) {
      if (!ends[i]->is_closed()) continue;  // else closed by a signal handler
      abandon();
      chosen = i;
      status = Status::end_closed;
      return true;
    }
  }
}

/// One attempt of a call on one end: whether it is decided, with the answer in `status`.
inline bool attempt(Endpoint& end, Side side, Cell& cell, Status& status) noexcept {
  status = side == Side::sender ? end.try_send(cell) : end.try_recv(cell);
  return status != Status::full && status != Status::empty;
}

/// One call on one end whose first attempt has found it full or empty: spinning shortly while attached, then detached.
/// As `wait_detached`, but a time-out of zero leaves that answer.
template <class Abandon>
[[gnu::noinline]] bool call_again(EndpointOwner& owner, Endpoint& end, Cell& cell, const Timeout& timeout,
                                  Status& status, Abandon abandon) noexcept {
  const auto again = [&]() noexcept { return attempt(end, end.side(), cell, status); };
  // Who has sent since it last had to wait, waits for the answer; who receives on and on, or finds no room, is in a
  // stream.
  const bool answer = std::exchange(owner.has_sent, false) && end.side() == Side::receiver;
  if (timeout.now || spin(attached_spin_ns, answer ? reply_pauses : stream_pauses, again)) {
    if (status != Status::ok) abandon();
    return true;
  }
  Endpoint* const ends[] = {&end};
  Case cases[] = {end.as_case(cell)};
  std::size_t chosen;
  if (!wait_detached(owner, ends, cases, timeout, status, chosen, abandon)) return false;
  cell = cases[0].cell;
  return true;
}

/// One call on one end of that side: at once, or as `call_again`.
template <class Abandon>
bool call(EndpointOwner& owner, Endpoint& end, Side side, Cell& cell, const Timeout& timeout, Status& status,
          Abandon abandon) noexcept {
  if (!attempt(end, side, cell, status)) return call_again(owner, end, cell, timeout, status, abandon);
  if (side == Side::sender) owner.has_sent = true;
  if (status != Status::ok) abandon();
  return true;
}

}  // namespace xichan::python
