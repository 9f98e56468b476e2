// The interface of a waiter, and its node in a wait list.
#pragma once

#include <cstdint>

#include "base/intrusive_list.h"
#include "sync/wake.h"

namespace xichan::internal {

class Waiter;

/// Sixteen opaque bytes; the channel stores a cell in them.
struct Packet {
  std::uint64_t words[2] = {};
};

/// A blocked thread; a coroutine, which acts once its event loop resumes it; or the descriptor of an event loop, which
/// takes no token and may never act.
enum class WaitKind : std::uint8_t { thread, coroutine, hint };

/// A waiter's node in one wait list. Owned by the waiter.
struct WaitNode {
  Waiter* waiter = nullptr;
  const void* owner = nullptr;  // the endpoint on whose behalf it waits
  std::uint32_t index = 0;      // index of the waiter's case
  Packet packet;           // rendezvous: the value that a sender offers, or room for the value that a receiver gets
  std::uint64_t cost = 0;  // bytes that a sender's value is charged
  std::uint64_t met = 0;   // rendezvous: number of the message, once the peer has transferred it
  WaitKind kind = WaitKind::thread;
  std::uint64_t ticket = 0;      // place in line under a byte bound, for the whole call; 0 until it first waits
  const void* thread = nullptr;  // current_thread() of a blocked thread under a byte bound
  ListHook<WaitNode> hook;
  bool linked = false;
};

/// One blocking operation: a parked thread, alone or in a select, or a coroutine of an event loop. Its state leaves
/// `waiting` exactly once, by compare-and-swap. The functions below try to decide the operation, under the lock of the
/// node's list, and return false if it has been decided already. They make no system call: they store it in `wake`.
class Waiter {
 public:
  /// The case may be able to proceed: transfers a wake token.
  virtual bool notify(WaitNode& node, Wake& wake) noexcept = 0;
  /// The peer has completed the operation through `node.packet`. Requires `can_transfer`.
  virtual bool transfer(WaitNode& node, Wake& wake) noexcept = 0;
  /// Returns true if a peer can transfer a value directly while the operation waits. Constant.
  virtual bool can_transfer(const WaitNode& node) const noexcept = 0;
  /// The endpoint that it waits on was closed.
  virtual bool cancel(WaitNode& node, Wake& wake) noexcept = 0;
  /// Spurious wake-up: re-check all conditions; transfers no wake token.
  virtual bool nudge(WaitNode& node, Wake& wake) noexcept = 0;

 protected:
  ~Waiter() = default;
};

}  // namespace xichan::internal
