// The arena's byte limit and its counters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "xichan/export.h"

namespace xichan {

/// Counters of the process-wide arena. They are read one after the other, so they are exact only while no other thread
/// uses the arena. `high_water` is updated for each block above 16 KiB and once per 16 KiB of smaller ones: it may be
/// off by 32 KiB per thread.
struct MemoryStats {
  std::uint64_t blocks;      ///< blocks alive
  std::uint64_t bytes;       ///< bytes that count against the limit: blocks alive, headers included, rings, lent bytes
  std::uint64_t high_water;  ///< maximum of `bytes` so far
  std::uint64_t limit;       ///< the byte limit; UINT64_MAX for no limit
  std::uint64_t cached;      ///< bytes of freed blocks cached for reuse; they do not count against the limit
  std::uint64_t rings;       ///< bytes of the rings of all channels; beyond 4 MiB they count in `bytes` as well
  std::uint64_t lent_bytes;  ///< bytes of objects of interpreters that messages show without a copy
};

/// The blocks of one size class.
struct MemoryClass {
  std::uint64_t size;    ///< maximum size in bytes; UINT64_MAX for all blocks above the largest class
  std::uint64_t alive;   ///< blocks alive
  std::uint64_t cached;  ///< freed blocks cached for reuse
};

/// The maximum number of classes.
inline constexpr std::size_t memory_class_count = 129;

/// Returns the arena's counters, in time proportional to the number of threads that use the arena. Any thread; never
/// blocks.
XICHAN_API MemoryStats memory_stats() noexcept;

/// Fills in the classes that have blocks, smallest first, and returns their number. Omits those that `classes` has no
/// room for. Any thread; never blocks.
XICHAN_API std::size_t memory_classes(std::span<MemoryClass> classes) noexcept;

/// Limits the bytes of all blocks, and of all rings beyond 4 MiB; UINT64_MAX removes the limit. An allocation that
/// would exceed it immediately returns `Status::arena_full`. What is already alive stays. Without a limit, and beyond
/// the memory of the machine or of the process's control group, an allocation returns `Status::no_memory`.
///
/// Memory cached for reuse comes on top of the limit: at most 1/64 of it for blocks up to 32 KiB, 1/64 for larger ones,
/// and 1/256 per thread, and never more than 2 MiB, 32 MiB (128 MiB while messages reuse it) and 1 MiB. This function
/// releases it as `trim` does. Any thread; never blocks.
XICHAN_API void set_memory_limit(std::uint64_t bytes) noexcept;

/// Returns cached memory to the system, except for the caches of other threads, and returns the number of bytes. Memory
/// that is not cached is returned as soon as it is freed. Cached memory that no thread has used for half a second is
/// returned by the next thread that allocates beyond its own cache, or that has been blocked in a call for half a
/// second, which also releases its own cache. So this function is for programs that stop using xichan for a while.
/// Any thread; never blocks.
XICHAN_API std::uint64_t trim() noexcept;

}  // namespace xichan
