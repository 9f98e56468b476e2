#include "sync/thread_waiter.h"

namespace xichan::internal {

WaitResult ThreadWaiter::park(Deadline deadline) noexcept {
  for (;;) {
    if (is_decided()) return WaitResult::woken;
    const WaitResult result = futex_wait(decision_.word(), Decision::undecided, deadline);
    // A decision takes precedence over a simultaneous timeout or signal: it may carry a token.
    if (is_decided()) return WaitResult::woken;
    if (result != WaitResult::woken) return result;
  }
}

}  // namespace xichan::internal
