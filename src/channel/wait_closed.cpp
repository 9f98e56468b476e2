#include "channel/wait_closed.h"

#include "sync/idle_watch.h"
#include "sync/thread_waiter.h"
#include "trace/trace.h"

namespace xichan::internal {

// No wake-up is lost: a call that closes the channel marks the ring, then looks for nodes; this one enlists, then looks
// at the mark. (8) and (13) hold as in select.cpp. A waiter of this list holds no token.
Status wait_closed(Channel& channel, Side side, const atomic<bool>& end_closed, const void* owner,
                   const WaitLimits& limits) noexcept {
  const Deadline until = earlier(limits.deadline, limits.slice);
  for (IdleWatch watch;;) {
    ThreadWaiter waiter;
    WaitNode node{.waiter = &waiter, .owner = owner};
    WaitResult woken_by = WaitResult::woken;
    if (!channel.enlist_closing(node) && !end_closed.load(memory_order_seq_cst) && !exit_began(limits)) {
      channel.count_park();
      if (limits.report != nullptr) {
        const WaitTarget target = wait_target(channel, side, true);
        limits.report->show({&target, 1}, 1);
      }
      TraceSpan span(TraceKind::wait, channel.trace_subject(), TraceCall::wait_closed);
      woken_by = waiter.park(until, &watch);
      if ((woken_by != WaitResult::woken || waiter.was_nudged()) && !limits.deadline.passed()) span.cut();
    }
    channel.delist_closing(node);
    if (channel.is_closed()) return Status::ok;
    if (end_closed.load(memory_order_seq_cst)) return Status::end_closed;
    if (limits.deadline.passed()) return Status::timeout;
    if (woken_by == WaitResult::interrupted || limits.slice.passed() || exit_began(limits)) return Status::interrupted;
  }
}

}  // namespace xichan::internal
