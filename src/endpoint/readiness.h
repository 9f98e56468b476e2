// A descriptor that other event loops can watch: it becomes readable when an endpoint that was not ready may have
// become ready. It is a hint and takes no wake token, so blocked callers are woken as well.
//
// Thread safety: guarded as its Endpoint; peers write to the descriptor under the lock of the channel's wait lists.
#pragma once

#include "channel/channel.h"

namespace xichan::internal {

class XICHAN_API Readiness final : public Waiter {
 public:
  /// Returns null if memory or descriptors are exhausted.
  static Readiness* create(Channel& channel, Side side) noexcept;
  /// Delists before it closes the descriptor, so that no peer writes to a descriptor number that was reused.
  static void destroy(Readiness* readiness) noexcept;

  int descriptor() const noexcept { return descriptor_; }

  /// Clears the descriptor and enlists, after an attempt that was not possible. Returns true if the caller should try
  /// once more.
  bool arm() noexcept;

  bool notify(WaitNode&, Wake&) noexcept override;
  bool transfer(WaitNode&, Wake&) noexcept override { return false; }
  bool can_transfer(const WaitNode&) const noexcept override { return false; }
  bool cancel(WaitNode& node, Wake& wake) noexcept override { return notify(node, wake); }
  // The list has unlinked the node: without a report the descriptor would never become readable again.
  bool nudge(WaitNode& node, Wake& wake) noexcept override { return notify(node, wake); }

 private:
  Readiness(Channel& channel, Side side, int descriptor) noexcept
      : channel_(channel), side_(side), descriptor_(descriptor) {}
  ~Readiness() = default;

  Channel& channel_;
  const Side side_;
  const int descriptor_;
  WaitNode node_;
};

}  // namespace xichan::internal
