#include "sync/wait_list.h"

namespace xichan {

WaitResult ThreadWaiter::park(Deadline deadline) noexcept {
  for (;;) {
    if (state_.load(memory_order_acquire) != waiting) return WaitResult::woken;
    const WaitResult result = futex_wait(state_, waiting, deadline);
    // A decision that came together with the deadline or a signal counts: it may carry a token.
    if (state_.load(memory_order_acquire) != waiting) return WaitResult::woken;
    if (result != WaitResult::woken) return result;
  }
}

}  // namespace xichan
