// Blocks above 32 KiB: each is its own mapping, and freed mappings are cached.
//
// The kernel populates a fresh mapping page by page, and each page fault clears the page first; for a message of 1 MiB
// that takes 20 times as long as the copy. malloc first maps above 128 KiB as well, and later keeps such blocks in a
// heap whose top it returns to the system and takes again as messages come and go. So up to 32 freed mappings of up to
// 32 MiB together are cached; when the cache is full, a freed mapping replaces another one. A request takes the cached
// mapping nearest to its size, if that is between half and twice the size. A mapping that is too small grows by mremap,
// which faults in the missing pages only. A mapping that is too large is used as it is, and the pages behind the
// block's end count as cached; if that exceeds the quota, mremap shrinks it. Idle mappings are released
// (cache_quota.h).
//
// Each mapping is one word in a shared store: address, size and the store's mark. So taking one does not read its
// memory, and equal words mean the same mapping.
//
// Progress: wait-free apart from the system calls. Thread safety: any thread. Fork: no lock is held; each process has
// its own copy of the mappings.
#pragma once

#include <cstdint>

namespace xichan::internal {

struct LargeBlocks {
  /// Returns page-aligned memory for a block of `bytes` bytes and stores the size of its mapping; null without memory.
  static void* allocate(std::uint64_t bytes, std::uint64_t& mapped) noexcept;
  /// Caches the mapping of a block of `bytes` bytes, or unmaps it.
  static void deallocate(void* memory, std::uint64_t bytes, std::uint64_t mapped) noexcept;

  /// Unmaps all cached mappings.
  static void release_all() noexcept;
  static void follow_limit(std::uint64_t limit) noexcept;

  static std::uint64_t cached_bytes() noexcept;
  static std::uint64_t cached_blocks() noexcept;
};

}  // namespace xichan::internal
