// The one blocking loop of the channel. docs/memory-ordering.md argues why no wake-up is lost; the state search in
// tests/model/wait_protocol.py checks it.
#include "channel/channel.h"
#include "sync/spin.h"

namespace xichan {
namespace {

constexpr bool is_pending(Status status) noexcept { return status == Status::full || status == Status::empty; }

}  // namespace

template <class Attempt>
Status Channel::wait(WaitList& list, const WaitRound& round, Attempt attempt) noexcept {
  Status status = Status::empty;
  const bool spun = spin(detached_spin_ns, [&]() noexcept {
    return !is_pending(status = attempt()) || round.closed.load(memory_order_relaxed);
  });
  if (spun && !is_pending(status)) return status;

  ThreadWaiter waiter;
  WaitNode node{.waiter = &waiter, .owner = round.owner};
  const Deadline until = earlier(round.deadline, round.slice);
  for (;;) {
    waiter.reset();
    list.add(node);
    status = attempt();
    // (8) sequentially consistent, with the store in End::close before it cancels: either we see the flag here, or the
    // closer finds our node.
    const bool parks = is_pending(status) && !round.closed.load(memory_order_seq_cst);
    const WaitResult woken_by = parks ? waiter.park(until) : WaitResult::woken;
    if (waiter.state() == ThreadWaiter::waiting) list.remove(node);
    // Decided or not, the node is unlinked from here on (W2, W4).
    bool token = waiter.state() == ThreadWaiter::notified;
    const bool end_closed = round.closed.load(memory_order_seq_cst);

    if (token && parks && !end_closed) {
      status = attempt();  // takes over the token: wake-token rule (a) follows a success
      token = false;       // without success it is spent: who makes the ring ready again brings a new one
    }
    // Wake-token rule (b): we leave with what we had before the token came. Who leaves on `closed` tells the next, who
    // may have gone to sleep when the ring was closed but its last item not yet published.
    if (token || status == Status::closed) list.notify_one();
    if (!is_pending(status)) return status;
    if (end_closed) return Status::end_closed;
    if (round.deadline.passed()) return Status::timeout;
    if (woken_by == WaitResult::interrupted || round.slice.passed()) return Status::interrupted;
  }
}

Status Channel::send(const Cell& cell, const WaitRound& round) noexcept {
  return wait(not_full_, round, [&]() noexcept { return try_send(cell); });
}

Status Channel::recv(Cell& cell, const WaitRound& round) noexcept {
  return wait(not_empty_, round, [&]() noexcept { return try_recv(cell); });
}

}  // namespace xichan
