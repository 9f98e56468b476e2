#include "sync/thread_waiter.h"

namespace xichan::internal {

WaitResult ThreadWaiter::park(Deadline deadline) noexcept {
  for (;;) {
    if (is_decided()) return WaitResult::woken;
    const WaitResult result = futex_wait(decision_.word(), Decision::undecided, deadline);
    // A decision that came together with the deadline or a signal counts: it may carry a token.
    if (is_decided()) return WaitResult::woken;
    if (result != WaitResult::woken) return result;
  }
}

}  // namespace xichan::internal
