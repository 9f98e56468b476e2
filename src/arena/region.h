// A region: 64 MiB of address space, aligned to its size, in 1024 granules of 64 KiB. The first granules hold this
// header. Runs of granules hold one large allocation each; a granule may be a slab of small blocks (slabs.h).
//
// A region is never unmapped, so its header is valid at any time and a stale look at it is harmless. Its free granules
// take no memory: they are address space only.
//
// Progress: lock-free. A thread that stops, or does not exist after a fork, keeps the granules that it was claiming.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "arena/slab.h"
#include "base/atomic.h"

namespace xichan::internal {

/// A set of granules. Zeroed memory is the empty set.
class GranuleSet {
 public:
  static constexpr unsigned size = 1024;

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
      word.fetch_or(mask, memory_order_seq_cst);
      return true;
    });
  }
  void remove(unsigned granule) noexcept {
    words_[granule / 64].fetch_and(~(std::uint64_t{1} << granule % 64), memory_order_seq_cst);
  }
  bool contains(unsigned granule) const noexcept {
    return words_[granule / 64].load(memory_order_relaxed) >> granule % 64 & 1;
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

struct alignas(cache_line) PaddedSlab : Slab {};

struct Region {
  static constexpr std::uint64_t granule_bytes = 64 * 1024;
  static constexpr std::uint64_t bytes = GranuleSet::size * granule_bytes;
  static constexpr unsigned header_granules = 5;

  GranuleSet free;
  GranuleSet partial;  // slabs that may have a free block; a hint
  std::uint32_t index;
  PaddedSlab slabs[GranuleSet::size - header_granules];

  static Region& of(const void* memory) noexcept {
    return *reinterpret_cast<Region*>(reinterpret_cast<std::uintptr_t>(memory) & ~(bytes - 1));
  }
  static unsigned granule_of(const void* memory) noexcept {
    return static_cast<unsigned>((reinterpret_cast<std::uintptr_t>(memory) & (bytes - 1)) / granule_bytes);
  }
  std::byte* granule(unsigned number) noexcept { return reinterpret_cast<std::byte*>(this) + number * granule_bytes; }
  Slab& slab(unsigned granule) noexcept { return slabs[granule - header_granules]; }
};
static_assert(sizeof(Region) <= Region::header_granules * Region::granule_bytes);

}  // namespace xichan::internal
