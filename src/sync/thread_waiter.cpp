#include "sync/thread_waiter.h"

#include "sync/idle_watch.h"
#include "sync/nap.h"
#ifndef XICHAN_RELACY
#include "sync/sleep_hook.h"
#endif

namespace xichan::internal {

WaitResult ThreadWaiter::park(Deadline deadline, IdleWatch* watch) noexcept {
  for (Naps naps;;) {
    if (is_decided()) return WaitResult::woken;
#ifndef XICHAN_RELACY
    sleep_hook(naps.now());
#endif
    bool is_nap = watch != nullptr || naps.any_left();
    const bool is_long = watch != nullptr && (naps.any_taken() || watch->is_held());
    if (is_long) is_nap = watch->begin_sleep(*this);
    const WaitResult result =
        futex_wait(decision_.word(), Decision::undecided, is_nap ? naps.until(deadline) : deadline);
    if (is_long) watch->end_sleep(was_nudged());
    // A decision takes precedence over a simultaneous timeout or signal: it may carry a token.
    if (is_decided()) return WaitResult::woken;
    if (result == WaitResult::timed_out && naps.go_on(deadline)) {
      if (is_long) watch->note_sweep();
      continue;
    }
    if (result != WaitResult::woken) return result;
  }
}

}  // namespace xichan::internal
