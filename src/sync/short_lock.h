// A four-byte lock held for a few instructions; uncontended unless two threads share one endpoint of a channel.
//
// Algorithm: the second mutex of Ulrich Drepper, "Futexes Are Tricky". Progress: blocking.
#pragma once

#include <mutex>

#include "sync/futex.h"

namespace xichan::internal {

class ShortLock {
 public:
  ShortLock() noexcept { state_.store(open, memory_order_relaxed); }
  ShortLock(const ShortLock&) = delete;
  ShortLock& operator=(const ShortLock&) = delete;

  void lock() noexcept {
    std::uint32_t seen = open;
    // (9) sequentially consistent, with the same in unlock: the next holder sees all that was done under the lock, and
    // both take part in the single total order that SpscRing's proof against lost wake-ups needs.
    if (state_.compare_exchange_strong(seen, locked, memory_order_seq_cst, memory_order_relaxed)) return;
    while (state_.exchange(contended, memory_order_seq_cst) != open) {
      (void)futex_wait(state_, contended, Deadline::never());
    }
  }
  void unlock() noexcept {
    if (state_.exchange(open, memory_order_seq_cst) == contended) futex_wake(&state_);
  }

  /// Returns true if the lock is held. Synchronizes with the unlocks of all earlier holders.
  bool is_held() const noexcept { return state_.load(memory_order_seq_cst) != open; }

 private:
  enum : std::uint32_t { open, locked, contended };

  atomic<std::uint32_t> state_;
};

}  // namespace xichan::internal
