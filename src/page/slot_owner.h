// Decides which worker may write the row of a slot, beside another thread that releases the slots of an interpreter.
//
// Algorithm: one word holds who owns the slot, whether the owner is writing, and whether it has to leave when it has
// written. Taking a slot and beginning to write are compare-and-swaps from the word that the caller expects; another
// thread that releases the slot during a write only marks it, and the writer frees it.
//
// Invariants
//   O1  the row is written only while the word has the number of the writer, and `writing`.
//   O2  a slot that is being written is not free, so no other worker takes it meanwhile.
//   O3  the word names the interpreter of the owner from the moment at which the slot is taken, when the row is still
//       that of an earlier owner.
//   O4  no two owners of a slot have the same number.
//
// Progress: wait-free for the owner; `release_of` repeats at most once for each step that the owner takes meanwhile.
#pragma once

#include <cstdint>

#include "base/atomic.h"

namespace xichan::internal {

class SlotOwner {
  // interpreter + 1, the low half | number, 30 bits | leaving | writing. 0: the slot is free
  static constexpr std::uint64_t writing = 1;
  static constexpr std::uint64_t leaving = 2;

 public:
  // Memory that is zero is constructed as well: that of the page.
  SlotOwner() noexcept { word_.store(0, memory_order_relaxed); }

  /// Returns what stands for an owner: never 0. `number` differs from those of other owners of the interpreter.
  static constexpr std::uint64_t identity(std::int64_t interpreter, std::uint64_t number) noexcept {
    return half_of(interpreter) << 32 | (number % 0x3fff'ffff + 1) << 2;
  }

  /// Takes a free slot, and begins to write its row. Returns false if it is not free.
  bool try_take(std::uint64_t owner) noexcept {
    std::uint64_t none = 0;
    // (64) acquire, with (65): the row of the previous owner is complete.
    return word_.load(memory_order_relaxed) == 0 &&
           word_.compare_exchange_strong(none, owner | writing, memory_order_acquire, memory_order_relaxed);
  }
  /// Begins to write the row. Returns false if the slot no longer belongs to the owner.
  bool begin_write(std::uint64_t owner) noexcept {
    // relaxed: no thread but the owner's has written the row since.
    return word_.compare_exchange_strong(owner, owner | writing, memory_order_relaxed, memory_order_relaxed);
  }
  /// Ends a write. Returns false if the slot no longer belongs to the owner.
  bool end_write(std::uint64_t owner) noexcept {
    std::uint64_t expected = owner | writing;
    // (65) release, with (64), here and below: the row is complete before another owner writes it.
    if (word_.compare_exchange_strong(expected, owner, memory_order_release, memory_order_relaxed)) return true;
    word_.store(0, memory_order_release);  // (65)
    return false;
  }
  /// Frees the slot, unless it no longer belongs to the owner, who is not writing.
  void release(std::uint64_t owner) noexcept {
    // relaxed, as in `release_of`: a read-modify-write keeps what (65) has published.
    (void)word_.compare_exchange_strong(owner, 0, memory_order_relaxed, memory_order_relaxed);
  }

  /// Frees the slot, now or when its row is written, if it belongs to an owner of this interpreter. Any thread.
  void release_of(std::int64_t interpreter) noexcept {
    std::uint64_t seen = word_.load(memory_order_relaxed);
    while (seen != 0 && seen >> 32 == half_of(interpreter)) {
      const std::uint64_t next = (seen & writing) != 0 ? seen | leaving : 0;
      if (word_.compare_exchange_weak(seen, next, memory_order_relaxed, memory_order_relaxed)) return;
    }
  }

  /// Returns the owner whose row the slot has; 0: it is free, or its row is being written.
  std::uint64_t get() const noexcept {
    const std::uint64_t word = word_.load(memory_order_acquire);  // (64), with (65): the row is that of this owner
    return (word & writing) != 0 ? 0 : word;
  }

 private:
  static constexpr std::uint64_t half_of(std::int64_t interpreter) noexcept {
    return static_cast<std::uint32_t>(interpreter + 1);
  }

  atomic<std::uint64_t> word_;
};

}  // namespace xichan::internal
