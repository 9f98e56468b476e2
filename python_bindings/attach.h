// Leaving the interpreter for a call that may block, and coming back.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include "channel/end.h"
#include "state.h"

namespace xichan::python {

/// Signal handlers run in the main thread of the main interpreter alone, and the kernel may deliver a signal between our
/// look and the futex, or to another thread. So that thread, and no other, looks again at this interval.
inline constexpr std::int64_t signal_slice_ns = 50'000'000;

inline bool runs_signal_handlers() noexcept {
  return PyInterpreterState_Get() == PyInterpreterState_Main() && syscall(SYS_gettid) == getpid();
}

/// Runs `round(WaitRound)` detached, again after each interruption, until it is decided. Returns false with an exception
/// set if a signal handler raised; then the call has sent and taken nothing.
///
/// While attaching, no lock is held, no node is linked and no pin is owned: a thread whose interpreter has gone never
/// comes back from there. `abandon` runs detached, before, when the call has failed: it gives back what the call holds.
template <class Round, class Abandon>
bool call_detached(End& end, Deadline deadline, Status& status, Round round, Abandon abandon) noexcept {
  const bool sliced = runs_signal_handlers();
  for (;;) {
    const Deadline slice = sliced ? Deadline::after(signal_slice_ns) : Deadline::never();
    Channel* channel = end.channel();
    end.enter();
    PyThreadState* thread = PyEval_SaveThread();
    status = round(end.round(deadline, slice));
    channel->unpin();
    if (status != Status::ok && status != Status::interrupted) abandon();
    PyEval_RestoreThread(thread);
    end.leave();
    if (status != Status::interrupted) return true;
    if (PyErr_CheckSignals() < 0) {
      abandon();
      return false;
    }
    if (end.is_closed()) {  // by a signal handler
      abandon();
      status = Status::end_closed;
      return true;
    }
  }
}

}  // namespace xichan::python
