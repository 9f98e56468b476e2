// The end of an interpreter, as seen by its waits: they are bounded from the moment at which it begins, and threads do
// not return into the interpreter once it is about to be freed.
#pragma once

#include "base/state.h"

namespace xichan::python {

/// Has the interpreter announce its end; called once per module. -1 with an exception set. Sets `begun` if the end has
/// begun already.
int watch_for_exit(ModuleState& state, bool& begun) noexcept;

/// Called when an interpreter is freed, after `release_all`.
void end_exit(PyInterpreterState* interpreter) noexcept;

/// Has every wait in the attached interpreter look whether its thread is interrupted.
void interrupt_waits() noexcept;

/// How long the calling thread may still wait while its interpreter or the process exits. A thread that waits in vain
/// uses that time up, in one call or in several; `renew` restores it when a wait has succeeded. So the calls of one
/// thread add up to one second without progress, and so do those of all threads that wait at the same time. The thread
/// that ends an interpreter starts with what is left of the second that began with the exit: it has waited for other
/// threads.
class ExitPatience {
 public:
  /// Returns the time at which a wait that begins now must give up. Never in the next 50 ms: a reply of a thread that
  /// is running takes less.
  static Deadline deadline() noexcept;
  static void renew() noexcept;
};

}  // namespace xichan::python
