// Blocks above 32 KiB: mapped from the system one by one, and recycled while they are hot.
//
// A fresh mapping is handed out page by page, each by a fault that clears it first; for a message of 1 MiB that takes
// 20 times as long as the copy. malloc maps anew above 128 KiB at first, and later keeps such blocks in a heap whose
// end it gives back to the system, and takes again, as messages come and go. So mappings that were freed are kept, at
// most 32 of them and 32 MiB; one that there is no room for replaces another. A request takes the one nearest to its
// size, if that is between half and twice of it. One that is too small grows by mremap, which faults in only the pages
// that are missing. One that is too large is used as it is, and what lies behind the block's end counts as kept; if
// that is too much, mremap gives it back. What stays unused is given back too (kept.h).
//
// Each is one word in a shared store: address, size and the store's mark. So taking it needs no look at the memory, and
// a word that is the same is the same mapping.
//
// Progress: wait-free apart from the system calls. Thread safety: any thread. Fork: nothing is locked; each process has
// its own copy of the mappings.
#pragma once

#include <cstdint>

namespace xichan::internal {

struct LargeBlocks {
  /// Memory for a block of `bytes`, page-aligned, and its size; null if the system has none.
  static void* take(std::uint64_t bytes, std::uint64_t& mapped) noexcept;
  static void give(void* memory, std::uint64_t bytes, std::uint64_t mapped) noexcept;

  static void sweep() noexcept;
  static void release_all() noexcept;
  static void follow_limit(std::uint64_t limit) noexcept;

  static std::uint64_t cached_bytes() noexcept;
  static std::uint64_t cached_blocks() noexcept;
};

}  // namespace xichan::internal
