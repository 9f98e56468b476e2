// What waits: an interface, and the node by which it stands in a list.
#pragma once

#include <cstdint>

#include "base/atomic.h"
#include "base/intrusive_list.h"

namespace xichan::internal {

/// Who is to be woken once the lock is gone: an address that is only used as such (see futex_wake), or null.
using Wake = atomic<std::uint32_t>*;

class Waiter;

/// Sixteen bytes that this layer copies without looking at them: a cell, to the channel.
struct Packet {
  std::uint64_t words[2] = {};
};

/// A place in one wait list. Lives with its waiter.
struct WaitNode {
  Waiter* waiter = nullptr;
  const void* owner = nullptr;  // the end on whose behalf it waits
  std::uint32_t index = 0;      // which of the waiter's cases this is
  Packet packet;                // rendezvous: what a sender offers, or the place where a receiver is handed a value
  std::uint64_t cost = 0;       // bytes that what a sender has to send is charged
  ListHook<WaitNode> hook;
  bool linked = false;
};

/// One blocking operation: a parked thread, alone or in a select, or a coroutine of an event loop. Its state leaves
/// `waiting` exactly once, by compare-and-swap; the functions below try to be the one, are called under the lock of the
/// node's list, and answer false if the operation has been decided already.
class Waiter {
 public:
  /// There may be something for this case: hands over a wake token.
  virtual bool notify(WaitNode& node, Wake& wake) noexcept = 0;
  /// The operation is done by the other side, in `node.packet`. Only if `can_transfer`.
  virtual bool transfer(WaitNode& node, Wake& wake) noexcept = 0;
  /// Whether a value can be handed to it, or taken from it, while it waits. Constant.
  virtual bool can_transfer(const WaitNode& node) const noexcept = 0;
  /// The end that it waits on was closed.
  virtual bool cancel(WaitNode& node, Wake& wake) noexcept = 0;
  /// It should look at the world again; carries no token.
  virtual bool nudge(WaitNode& node, Wake& wake) noexcept = 0;

 protected:
  ~Waiter() = default;
};

}  // namespace xichan::internal
