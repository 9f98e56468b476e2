// Which slots of a table are taken: finds a free one in a few steps, however many there are.
//
// Algorithm: a bit per slot. A slot is taken by setting its bit, which belongs to the thread that has found it clear.
//
// Progress: lock-free. A free slot is found in at most one step per 64 slots, and one more for each slot that another
// thread takes first; so is that there is none. Releasing is wait-free.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/atomic.h"

namespace xichan::internal {

template <std::size_t count>
class SlotSet {
  static constexpr std::size_t words = (count + 63) / 64;

 public:
  // Memory that is zero is constructed as well: that of the page.
  SlotSet() noexcept {
    for (auto& word : words_) word.store(0, memory_order_relaxed);
  }

  /// Takes a slot, `preferred` if it is free. Returns its index, or `count` if none is free. Never blocks.
  std::size_t take(std::size_t preferred) noexcept {
    std::uint64_t seen = words_[preferred / 64].load(memory_order_relaxed);
    if (set_bit(seen, preferred)) return preferred;
    for (std::size_t word = 0; word < words; ++word) {
      seen = words_[word].load(memory_order_relaxed);
      for (std::size_t bit; (bit = static_cast<std::size_t>(std::countr_one(seen))) < bits_of(word);) {
        if (set_bit(seen, word * 64 + bit)) return word * 64 + bit;
      }
    }
    return count;
  }
  void release(std::size_t index) noexcept {
    words_[index / 64].fetch_and(~mask_of(index), memory_order_release);  // (57)
  }

 private:
  static constexpr std::uint64_t mask_of(std::size_t index) noexcept { return std::uint64_t{1} << index % 64; }
  static constexpr std::size_t bits_of(std::size_t word) noexcept {
    return word + 1 < words || count % 64 == 0 ? 64 : count % 64;
  }

  // `seen` is the word as it was read last; if another thread has the slot, as it was then.
  bool set_bit(std::uint64_t& seen, std::size_t index) noexcept {
    if ((seen & mask_of(index)) != 0) return false;
    // (56) acquire, with (57): the slot is as the thread that had it before has left it.
    seen = words_[index / 64].fetch_or(mask_of(index), memory_order_acquire);
    return (seen & mask_of(index)) == 0;
  }

  atomic<std::uint64_t> words_[words];
};

}  // namespace xichan::internal
