// A waiter for a thread, which sleeps on its own futex word until one of its cases is decided.
#pragma once

#include "base/deadline.h"
#include "sync/decision.h"
#include "sync/wait_list.h"

namespace xichan::internal {

class IdleWatch;

/// Thread safety: `park` and the accessors belong to the waiting thread; any thread may decide the operation.
class XICHAN_API ThreadWaiter final : public Waiter {
 public:
  bool notify(WaitNode& node, Wake& wake) noexcept override { return decide(Outcome::notified, node, wake); }
  bool transfer(WaitNode& node, Wake& wake) noexcept override { return decide(Outcome::transferred, node, wake); }
  bool can_transfer(const WaitNode&) const noexcept override { return true; }
  bool cancel(WaitNode& node, Wake& wake) noexcept override { return decide(Outcome::cancelled, node, wake); }
  bool nudge(WaitNode& node, Wake& wake) noexcept override { return decide(Outcome::nudged, node, wake); }

  /// Sleeps until the operation is decided (`woken`), the deadline passes or a signal arrives. With a `watch`, which
  /// lasts as long as the call, the operation may also be nudged to take the watch.
  WaitResult park(Deadline deadline, IdleWatch* watch = nullptr) noexcept;

  // The decision is final once no node of this waiter is linked.
  bool is_decided() const noexcept { return decision_.is_decided(); }
  bool was_notified() const noexcept { return decision_.outcome() == Outcome::notified; }
  bool was_transferred() const noexcept { return decision_.outcome() == Outcome::transferred; }
  bool was_cancelled() const noexcept { return decision_.outcome() == Outcome::cancelled; }
  bool was_nudged() const noexcept { return decision_.outcome() == Outcome::nudged; }
  std::uint32_t index() const noexcept { return decision_.index(); }

 private:
  bool decide(Outcome outcome, const WaitNode& node, Wake& wake) noexcept {
    if (!decision_.decide(outcome, node.index)) return false;
    wake.word = &decision_.word();
    return true;
  }

  Decision decision_;
};

}  // namespace xichan::internal
