// The state of one slab: which of its blocks are free. Lock-free, and separate from the slab's memory, so that no
// thread ever reads memory that another one may own or return to the system.
//
// One word holds the number of blocks and the number available. A thread first reserves a block there and then looks
// for a free bit; a thread that frees a block sets its bit first and then makes it available. So a bit is there for
// each reservation, and a slab of which all blocks are available has no user: one compare-and-swap of the word retires
// it. The number of blocks is part of the word, so that the comparison fails if the slab has been prepared for another
// class meanwhile.
//
// Invariants
//   S1  available + reservations without a bit yet <= bits set.
//   S2  class and number of blocks do not change while a block is reserved or in use.
//
// Progress: lock-free. Thread safety: any thread; `prepare` belongs to the owner of a slab that is not in use.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "base/atomic.h"

namespace xichan::internal {

class Slab {
 public:
#ifdef XICHAN_RELACY
  static constexpr unsigned words = 1;
#else
  static constexpr unsigned words = 32;
#endif
  static constexpr unsigned most_blocks = words * 64;

  enum class Taken : std::uint8_t { block, none, returned, retired };

  /// Makes `blocks` blocks of a class available. The caller owns the slab.
  void prepare(unsigned size_class, std::uint32_t blocks) noexcept {
    size_class_.store(size_class, memory_order_relaxed);
    // All words: a search may pass the last block, and the bits of a class with more blocks are still set.
    for (unsigned i = 0; i < words; ++i) {
      const unsigned left = blocks - std::min(blocks, i * 64);
      free_[i].store(left < 64 ? (std::uint64_t{1} << left) - 1 : UINT64_MAX, memory_order_relaxed);
    }
    state_.store(all_available(blocks), memory_order_release);  // (17) release, with (18)
  }

  /// Takes a block of a class and stores its number in `index`. Returns `none` if there is none. If the slab is of
  /// another class by now, the block is made available again: `returned`, or `retired` if the caller thereby owns the
  /// slab, see `put`.
  Taken take(unsigned size_class, unsigned& index) noexcept {
    std::uint64_t state = state_.load(memory_order_relaxed);
    do {
      if (available(state) == 0) return Taken::none;
      // (18) acquire, with (17) and (19)
    } while (!state_.compare_exchange_weak(state, state - 1, memory_order_acquire, memory_order_relaxed));
    if (size_class_.load(memory_order_relaxed) != size_class) {  // retired and prepared again since it was found
      return make_available() ? Taken::retired : Taken::returned;
    }
    index = find_free();
    return Taken::block;
  }

  /// Frees a block. Returns true if the slab is thereby retired: all blocks were free, and the caller owns the slab.
  bool put(unsigned index) noexcept {
    // (20) release, with (21): all uses of the block happen before those of its next owner.
    free_[index / 64].fetch_or(std::uint64_t{1} << index % 64, memory_order_release);
    return make_available();
  }

  unsigned size_class() const noexcept { return size_class_.load(memory_order_relaxed); }
  bool has_available() const noexcept { return available(state_.load(memory_order_seq_cst)) != 0; }

 private:
  static constexpr std::uint64_t all_available(std::uint64_t blocks) noexcept { return blocks << 32 | blocks; }
  static constexpr std::uint32_t available(std::uint64_t state) noexcept { return static_cast<std::uint32_t>(state); }

  unsigned find_free() noexcept {
    for (;;) {  // S1: there is one, but other threads may take what was seen
      for (unsigned i = 0; i < words; ++i) {
        std::uint64_t bits = free_[i].load(memory_order_relaxed);
        while (bits != 0) {
          // (21) acquire, with (20)
          if (free_[i].compare_exchange_weak(bits, bits & (bits - 1), memory_order_acquire, memory_order_relaxed)) {
            return i * 64 + static_cast<unsigned>(std::countr_zero(bits));
          }
        }
      }
    }
  }

  // Returns true if the slab is retired.
  bool make_available() noexcept {
    // (19) acq_rel among all threads that free a block: every use of the slab happens before it is retired.
    // Sequentially consistent for G1 of granule_set.h.
    const std::uint64_t state = state_.fetch_add(1, memory_order_seq_cst) + 1;
    std::uint64_t all = all_available(state >> 32);
    return state == all && state_.compare_exchange_strong(all, 0, memory_order_acq_rel, memory_order_relaxed);
  }

  atomic<std::uint64_t> state_;  // zeroed memory is a slab without blocks
  atomic<std::uint32_t> size_class_;
  atomic<std::uint64_t> free_[words];
};

}  // namespace xichan::internal
