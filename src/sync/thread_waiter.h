// A thread that sleeps on a futex word of its own, waiting for one case or for the first of several.
#pragma once

#include "base/deadline.h"
#include "sync/wait_list.h"

namespace xichan {

class XICHAN_API ThreadWaiter final : public Waiter {
 public:
  ThreadWaiter() noexcept { state_.store(waiting, memory_order_relaxed); }

  bool notify(WaitNode& node, Wake& wake) noexcept override { return decide(notified | node.index << shift, wake); }
  bool transfer(WaitNode& node, Wake& wake) noexcept override {
    return decide(transferred | node.index << shift, wake);
  }
  bool can_transfer(const WaitNode&) const noexcept override { return true; }
  bool cancel(WaitNode& node, Wake& wake) noexcept override { return decide(cancelled | node.index << shift, wake); }
  bool nudge(WaitNode&, Wake& wake) noexcept override { return decide(nudged, wake); }

  /// Sleeps until the state is decided (`woken`), the deadline passes or a signal arrives.
  WaitResult park(Deadline deadline) noexcept;

  // The decision; final once no node of this waiter is linked any more.
  bool is_decided() const noexcept { return state_.load(memory_order_acquire) != waiting; }
  bool was_notified() const noexcept { return what() == notified; }
  bool was_transferred() const noexcept { return what() == transferred; }
  bool was_cancelled() const noexcept { return what() == cancelled; }
  bool was_nudged() const noexcept { return what() == nudged; }
  std::uint32_t index() const noexcept { return state_.load(memory_order_acquire) >> shift; }

 private:
  // state_:  case index | what
  enum : std::uint32_t { waiting, notified, transferred, cancelled, nudged, shift = 3, what_mask = (1 << shift) - 1 };

  std::uint32_t what() const noexcept { return state_.load(memory_order_acquire) & what_mask; }

  bool decide(std::uint32_t to, Wake& wake) noexcept {
    std::uint32_t expected = waiting;
    // (5) release, with the acquire of every look at the state: the list has let go of the node, and a value handed
    // over stands in it, before its thread goes on.
    if (!state_.compare_exchange_strong(expected, to, memory_order_acq_rel, memory_order_relaxed)) return false;
    wake = &state_;
    return true;
  }

  atomic<std::uint32_t> state_;
};

}  // namespace xichan
