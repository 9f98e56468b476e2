// Words that one thread at a time writes while any number of others read them, also in other processes.
//
// Algorithm: a sequence lock without fences (Boehm, "Can Seqlocks Get Along with Programming Language Memory Models?",
// MSPC 2012): the number of the sequence is odd during a write, and every word is atomic. A reader that finds the same
// even number before and after it has read the words has read what one write left behind.
//
// Invariants
//   P1  the sequence is odd iff a write is in progress, and never returns to an earlier number.
//   P2  a writer that stops in the middle of a write leaves an odd number: readers reject the words, and wait for
//       nothing.
//
// Progress: writing is wait-free. A read that meets a write fails; the caller decides whether to repeat it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/atomic.h"

namespace xichan::internal {

template <std::size_t count>
class SequencedWords {
 public:
  static constexpr std::size_t size = count;

  // Memory that is zero is constructed as well: that of the page.
  SequencedWords() noexcept {
    sequence_.store(0, memory_order_relaxed);
    for (auto& word : words_) word.store(0, memory_order_relaxed);
  }

  // One writer at a time: begin, set any words, end.
  void begin_write() noexcept { sequence_.store(sequence_.load(memory_order_relaxed) + 1, memory_order_relaxed); }
  void set(std::size_t index, std::uint64_t word) noexcept {
    words_[index].store(word, memory_order_release);  // (50), with (51): the odd number comes first
  }
  void end_write() noexcept {
    // (52) release, with (53): the words come first.
    sequence_.store(sequence_.load(memory_order_relaxed) + 1, memory_order_release);
  }

  /// Copies the words. Returns false if a write was in progress: then they are of no use.
  bool read(std::uint64_t (&out)[count]) const noexcept {
    const std::uint64_t before = sequence_.load(memory_order_acquire);  // (53)
    if (before % 2 != 0) return false;
    for (std::size_t i = 0; i < count; ++i) out[i] = words_[i].load(memory_order_acquire);  // (51)
    return sequence_.load(memory_order_relaxed) == before;
  }

 private:
  atomic<std::uint64_t> sequence_;
  atomic<std::uint64_t> words_[count];
};

}  // namespace xichan::internal
