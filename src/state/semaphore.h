// A counter that calls take from, and that blocks them at zero.
//
// Algorithm: the counter is changed by compare-and-swap; calls that find it at zero wait in a Turnstile, and each unit
// that is released goes to the oldest of them. It has no owner: what a program that ended had acquired stays acquired.
//
// Progress: as SharedLock.
#pragma once

#include "state/turnstile.h"

namespace xichan::internal {

class XICHAN_API SharedSemaphore final : public Turnstile {
 public:
  explicit SharedSemaphore(std::uint64_t value) noexcept : Turnstile(StateKind::semaphore, Order::first_in_first_out) {
    value_.store(value, memory_order_relaxed);
  }
  ~SharedSemaphore() override = default;

  /// Never blocks.
  bool try_acquire() noexcept { return !has_waiters() && take(); }
  /// Adds `count` to the value. Returns false, and changes nothing, if it would exceed 2^63 - 1.
  bool release_many(std::uint64_t count) noexcept;
  std::uint64_t value() const noexcept { return value_.load(memory_order_relaxed); }

  void withdraw(Request&) noexcept override { release_many(1); }

 private:
  bool take() noexcept;
  bool admit(Request&) noexcept override { return take(); }

  atomic<std::uint64_t> value_;
};

}  // namespace xichan::internal
