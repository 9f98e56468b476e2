// A shared store of at most N items, each a word other than 0: threads put in what they can spare and take what they
// need.
//
// The textbook store is a stack whose head is moved by compare-and-swap. A thread about to take the top item has read
// the link to the item below. If other threads meanwhile take the top and put it back, the compare-and-swap succeeds
// and installs an item that another thread owns (ABA); reading the link also requires that items are never freed. Tags
// and hazard pointers solve this. But these stores are bounded anyway, so they need no links: each item lies in its own
// slot, and the thread that exchanges the slot for 0 owns the whole item. It reads nothing else, so nothing else can
// have changed.
//
// The low bit of a word is the store's idle mark. A word that still carries the mark at a sweep has been there since
// the sweep before and is released (the second-chance algorithm of page replacement). Searches start at the first slot:
// under a steady load the same few items change hands and stay in the caches, and the others become idle.
//
// Progress: wait-free, at most one pass over the slots. A thread that stops, or does not exist after a fork, blocks no
// other thread; it keeps the items that it had taken.
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

  /// Returns false if it finds no free slot; with concurrent calls it may miss one. The word's low bit must be 0.
  bool put(Word word) noexcept {
    for (Slot& slot : slots_) {
      Word none = 0;
      if (slot.word.load(memory_order_relaxed) != 0) continue;
      // (3) release, with (4): all uses of the item happen before those of its next owner.
      if (slot.word.compare_exchange_strong(none, word, memory_order_release, memory_order_relaxed)) return true;
    }
    return false;
  }

  /// Takes any item. Returns 0 if it finds none; with concurrent calls it may miss one.
  Word take() noexcept {
    for (unsigned i = 0; i < N; ++i) {
      if (peek(i) == 0) continue;
      if (const Word word = take_from(i)) return word;
    }
    return 0;
  }

  /// Returns the word in slot `i` without the mark, or 0. Takes nothing.
  Word peek(unsigned i) const noexcept { return slots_[i].word.load(memory_order_relaxed) & ~idle_mark; }

  /// Takes the item in slot `i`; returns 0 if the slot is empty.
  Word take_from(unsigned i) noexcept {
    return slots_[i].word.exchange(0, memory_order_acquire) & ~idle_mark;  // (4) acquire, with (3)
  }

  /// Calls `release` with each idle item, and marks the others.
  template <class Release>
  void sweep(Release release) noexcept {
    for (Slot& slot : slots_) {
      Word word = slot.word.load(memory_order_relaxed);
      if (word == 0) continue;
      const Word next = word & idle_mark ? 0 : word | idle_mark;
      // (4) acquire, with (3), if the item is taken. Marking changes no ownership, and as a read-modify-write it
      // continues the release sequence of (3).
      if (slot.word.compare_exchange_strong(word, next, memory_order_acquire, memory_order_relaxed) && next == 0) {
        release(word & ~idle_mark);
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
