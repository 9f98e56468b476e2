// The arena's byte limit and its counters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "xichan/export.h"

namespace xichan {

/// Counters of the process-wide arena. Read one by one: exact only while nothing else runs. `high_water` is looked at
/// for each block above 16 KiB and once per 16 KiB of smaller ones: it may be 32 KiB per thread off.
struct MemoryStats {
  std::uint64_t blocks;      ///< blocks alive
  std::uint64_t bytes;       ///< bytes of blocks alive, headers included
  std::uint64_t high_water;  ///< the most bytes that were ever alive at once
  std::uint64_t limit;       ///< the byte limit; UINT64_MAX when there is none
  std::uint64_t cached;      ///< bytes of freed blocks that are kept for reuse; they do not count against the limit
};

/// Blocks of about one size.
struct MemoryClass {
  std::uint64_t size;    ///< bytes: none of them is larger; UINT64_MAX for all beyond the largest class
  std::uint64_t alive;   ///< blocks alive
  std::uint64_t cached;  ///< freed blocks that are kept for reuse
};

/// How many classes there are at most.
inline constexpr std::size_t memory_class_count = 129;

/// Any thread; never blocks. Takes time in proportion to the threads that have used the arena at once.
XICHAN_API MemoryStats memory_stats() noexcept;

/// Fills in the classes that have blocks, smallest first, and returns how many there are. What `classes` has no room
/// for is left out. Any thread; never blocks.
XICHAN_API std::size_t memory_classes(std::span<MemoryClass> classes) noexcept;

/// Bounds the bytes of all blocks; UINT64_MAX lifts the bound. An allocation that would pass it answers
/// `Status::arena_full` at once. Blocks already alive stay. Memory kept for reuse comes on top of the bound, but is
/// bounded by it: 1/64 of it for blocks up to 32 KiB and again for larger ones, and 1/256 for each thread; it never is
/// more than 8 MiB, 32 MiB and 1 MiB. What is kept is given back to the system when nobody has wanted it for a second,
/// as soon as some thread goes on allocating, and by this function. Any thread; never blocks.
XICHAN_API void set_memory_limit(std::uint64_t bytes) noexcept;

}  // namespace xichan
