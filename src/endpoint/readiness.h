// A descriptor that other event loops can watch: it becomes readable when an endpoint that was not ready may have
// become ready. It is a hint and takes no wake token, so blocked callers are woken as well.
//
// Thread safety: guarded as its Endpoint; peers notify it under the lock of the channel's wait lists.
#pragma once

#include "channel/channel.h"

namespace xichan::internal {

class XICHAN_API Readiness final : public Waiter {
 public:
  /// Waits on behalf of the endpoint `owner`. Returns null if memory or descriptors are exhausted.
  static Readiness* create(Channel& channel, Side side, const void* owner) noexcept;
  static void destroy(Readiness* readiness) noexcept;

  int descriptor() const noexcept { return event_.number(); }

  /// Clears the descriptor and enlists, after an attempt that was not possible. `cost` is that of the message to send.
  /// Returns true if the caller should try once more.
  bool arm(std::uint64_t cost) noexcept;

  bool notify(WaitNode&, Wake&) noexcept override;
  bool transfer(WaitNode&, Wake&) noexcept override { return false; }
  bool can_transfer(const WaitNode&) const noexcept override { return false; }
  bool cancel(WaitNode& node, Wake& wake) noexcept override { return notify(node, wake); }
  // The list has unlinked the node: without a report the descriptor would never become readable again.
  bool nudge(WaitNode& node, Wake& wake) noexcept override { return notify(node, wake); }

 private:
  Readiness(Channel& channel, Side side, const void* owner, EventDescriptor& event) noexcept
      : channel_(channel), side_(side), owner_(owner), event_(event) {}
  ~Readiness() = default;

  Channel& channel_;
  const Side side_;
  const void* const owner_;
  EventDescriptor& event_;  // owns a reference
  WaitNode node_;
};

}  // namespace xichan::internal
