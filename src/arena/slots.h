// A shared store of at most N things, each a word that is not 0: threads put what they can spare and take what they
// need.
//
// The textbook store is a stack whose head is moved by compare-and-swap. A thread that is about to take the top has
// read what lies below it; if meanwhile the top is taken and put back, its compare-and-swap succeeds and brings back a
// thing that somebody else owns (ABA), and even reading below the top needs memory that is never given back. Tags and
// hazard pointers mend that. But the stores here are bounded anyway, and then there is no need for links: each thing
// lies in a slot of its own, and whoever swaps the slot for 0 owns all of it. Nothing else is read, so nothing can have
// changed.
//
// The low bit of a word is the store's own mark: what still carries it at the next sweep has lain there since the one
// before, and is idle (second chance, as page replacement has it). Slots are searched from the first: under a steady
// load the same few things change hands and stay in the caches, and the rest gets old.
//
// Progress: wait-free, at most one pass over the slots. A thread that stops, or is not there after a fork, holds up
// nobody; what it had taken out is its own.
#pragma once

#include <cstdint>

#include "base/atomic.h"

namespace xichan::internal {

template <unsigned N>
class Slots {
 public:
  using Word = std::uint64_t;  // 0: empty
  static constexpr unsigned size = N;
  static constexpr Word idle_mark = 1;

  /// False if it finds no room; while others put and take it may miss some. The word's low bit must be 0.
  bool put(Word word) noexcept {
    for (Slot& slot : slots_) {
      Word none = 0;
      if (slot.word.load(memory_order_relaxed) != 0) continue;
      // (3) release, with (4): what was done with the thing comes before what its next owner does.
      if (slot.word.compare_exchange_strong(none, word, memory_order_release, memory_order_relaxed)) return true;
    }
    return false;
  }

  /// Any thing, or 0 if it finds none; while others put and take it may miss some.
  Word take() noexcept {
    for (unsigned i = 0; i < N; ++i) {
      if (look(i) == 0) continue;
      if (const Word word = take_from(i)) return word;
    }
    return 0;
  }

  /// What lies in a slot now, without the mark, or 0.
  Word look(unsigned i) const noexcept { return slots_[i].word.load(memory_order_relaxed) & ~idle_mark; }

  /// Whatever lies in that slot, or 0.
  Word take_from(unsigned i) noexcept {
    return slots_[i].word.exchange(0, memory_order_acquire) & ~idle_mark;  // (4) acquire, with (3)
  }

  /// Hands what is idle to `give_back`, and marks the rest.
  template <class GiveBack>
  void sweep(GiveBack give_back) noexcept {
    for (Slot& slot : slots_) {
      Word word = slot.word.load(memory_order_relaxed);
      if (word == 0) continue;
      const Word next = word & idle_mark ? 0 : word | idle_mark;
      // (4) acquire, with (3), if it is taken. The mark changes nobody's right to the thing, and the release of (3)
      // goes on through it.
      if (slot.word.compare_exchange_strong(word, next, memory_order_acquire, memory_order_relaxed) && next == 0) {
        give_back(word & ~idle_mark);
      }
    }
  }

 private:
  struct Slot {
    atomic<Word> word{0};
  };
  alignas(cache_line) Slot slots_[N];
};

}  // namespace xichan::internal
