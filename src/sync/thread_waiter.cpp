#include "sync/thread_waiter.h"

#include "sync/nap.h"

namespace xichan::internal {

WaitResult ThreadWaiter::park(Deadline deadline) noexcept {
  for (Naps naps;;) {
    if (is_decided()) return WaitResult::woken;
    const WaitResult result = futex_wait(decision_.word(), Decision::undecided, naps.until(deadline));
    // A decision takes precedence over a simultaneous timeout or signal: it may carry a token.
    if (is_decided()) return WaitResult::woken;
    if (result == WaitResult::timed_out && naps.go_on(deadline)) continue;
    if (result != WaitResult::woken) return result;
  }
}

}  // namespace xichan::internal
