// A descriptor that other event loops can watch: readable when an end that was not ready may have become so. A hint: it
// takes no wake token, so whoever waits in earnest is woken as well.
//
// Thread safety: guarded as its End; peers write to the descriptor under the lock of the channel's lists.
#pragma once

#include "channel/channel.h"

namespace xichan::internal {

class XICHAN_API Readiness final : public Waiter {
 public:
  /// Null if there is no memory or no descriptor.
  static Readiness* create(Channel& channel, Side side) noexcept;
  /// Delists before it closes the descriptor, so that nobody writes into a number that was used again.
  static void destroy(Readiness* readiness) noexcept;

  int descriptor() const noexcept { return descriptor_; }

  /// After a failed attempt: clears the descriptor and enlists. True if the caller should try once more.
  bool arm() noexcept;

  bool notify(WaitNode&, Wake&) noexcept override;
  bool transfer(WaitNode&, Wake&) noexcept override { return false; }
  bool can_transfer(const WaitNode&) const noexcept override { return false; }
  bool cancel(WaitNode& node, Wake& wake) noexcept override { return notify(node, wake); }
  bool nudge(WaitNode&, Wake&) noexcept override { return false; }

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
