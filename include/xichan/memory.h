// The arena's byte limit and its counters.
#pragma once

#include <cstdint>

#include "xichan/export.h"

namespace xichan {

/// Counters of the process-wide arena. Read one by one: exact only while nothing else runs.
struct MemoryStats {
  std::uint64_t blocks;      ///< blocks alive
  std::uint64_t bytes;       ///< bytes of blocks alive, headers included
  std::uint64_t high_water;  ///< the most bytes that were ever alive at once
  std::uint64_t limit;       ///< the byte limit; UINT64_MAX when there is none
};

/// Any thread; never blocks.
XICHAN_API MemoryStats memory_stats() noexcept;

/// Bounds the bytes of all blocks; UINT64_MAX lifts the bound. An allocation that would pass it answers
/// `Status::arena_full` at once. Blocks already alive stay. Any thread; never blocks.
XICHAN_API void set_memory_limit(std::uint64_t bytes) noexcept;

}  // namespace xichan
