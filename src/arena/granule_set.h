// A set of granules of a region (region.h): a bit for each.
//
// Invariants
//   G1  In a set of granules that may have something available, each one that has is found: a thread that makes it
//       available looks at the set afterwards, and a thread that removes the granule looks for it afterwards. All four
//       steps are sequentially consistent, so one of the two sees what the other did. Until it has added the granule, a
//       search takes another one.
//
// Progress: lock-free. Thread safety: any thread. Fork: a child keeps what the other threads were claiming.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "base/atomic.h"

namespace xichan::internal {

/// A set of granules. Zeroed memory is the empty set.
class GranuleSet {
 public:
#ifdef XICHAN_RELACY
  static constexpr unsigned size = 128;

  GranuleSet() {
    for (auto& word : words_) word.store(0, memory_order_relaxed);
  }
#else
  static constexpr unsigned size = 1024;
#endif

  /// Removes the first run of `count` granules and returns its first granule; -1 if there is none.
  int take_run(unsigned count) noexcept {
    unsigned run = 0;
    for (unsigned i = 0; i < size;) {
      const std::uint64_t bits = words_[i / 64].load(memory_order_relaxed) >> i % 64;
      if ((bits & 1) == 0) {
        run = 0;
        i = bits == 0 ? (i / 64 + 1) * 64 : i + static_cast<unsigned>(std::countr_zero(bits));
        continue;
      }
      const unsigned ones = static_cast<unsigned>(std::countr_one(bits));
      run += ones;
      i += ones;
      if (run < count) continue;
      const unsigned first = i - run;
      if (remove(first, count)) return static_cast<int>(first);
      run = 0;  // another thread was faster; look at the same granules again
      i = first;
    }
    return -1;
  }

  void add(unsigned first, unsigned count) noexcept {
    // (22) release, with (23): all uses of the granules happen before those of their next owner.
    for_each_word(first, count, [&](atomic<std::uint64_t>& word, std::uint64_t mask) noexcept {
      word.fetch_or(mask, memory_order_release);
      return true;
    });
  }

  /// For a set of what may be available: adds a granule after something in it has become available.
  void offer(unsigned granule) noexcept {
    // Sequentially consistent, as are the four steps of `offer` and `remove_unless` (G1).
    if ((words_[granule / 64].load(memory_order_seq_cst) >> granule % 64 & 1) == 0) add(granule, 1);
  }
  /// Removes a granule in which nothing was available, and adds it again if `has_available()` is true by now.
  template <class HasAvailable>
  void remove_unless(unsigned granule, HasAvailable has_available) noexcept {
    words_[granule / 64].fetch_and(~(std::uint64_t{1} << granule % 64), memory_order_seq_cst);
    if (has_available()) add(granule, 1);
  }
  void remove(unsigned granule) noexcept {
    words_[granule / 64].fetch_and(~(std::uint64_t{1} << granule % 64), memory_order_relaxed);
  }
  /// Returns the first granule at or after `granule`, or `size`.
  unsigned next(unsigned granule) const noexcept {
    while (granule < size) {
      const std::uint64_t bits = words_[granule / 64].load(memory_order_relaxed) >> granule % 64;
      if (bits != 0) return granule + static_cast<unsigned>(std::countr_zero(bits));
      granule = (granule / 64 + 1) * 64;
    }
    return size;
  }

 private:
  // Calls `visit` for the part of a run in each word, until it returns false. Returns the number of granules before.
  template <class Visit>
  unsigned for_each_word(unsigned first, unsigned count, Visit visit) noexcept {
    for (unsigned i = first; i < first + count;) {
      const unsigned in_word = std::min(first + count, (i / 64 + 1) * 64) - i;
      const std::uint64_t mask = (in_word == 64 ? UINT64_MAX : (std::uint64_t{1} << in_word) - 1) << i % 64;
      if (!visit(words_[i / 64], mask)) return i - first;
      i += in_word;
    }
    return count;
  }

  // Removes a run, or nothing if another thread has removed a part of it.
  bool remove(unsigned first, unsigned count) noexcept {
    const unsigned removed = for_each_word(first, count, [](atomic<std::uint64_t>& word, std::uint64_t mask) noexcept {
      std::uint64_t bits = word.load(memory_order_relaxed);
      do {
        if ((bits & mask) != mask) return false;
        // (23) acquire, with (22)
      } while (!word.compare_exchange_weak(bits, bits & ~mask, memory_order_acquire, memory_order_relaxed));
      return true;
    });
    if (removed == count) return true;
    add(first, removed);
    return false;
  }

  atomic<std::uint64_t> words_[size / 64];
};

}  // namespace xichan::internal
