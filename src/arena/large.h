// Blocks above 32 KiB: each is an allocation of whole pages (pages.h), and freed ones are cached.
//
// The kernel populates fresh memory page by page, and each page fault clears the page first; for a message of 1 MiB
// that takes 20 times as long as the copy. malloc returns the top of its heap to the system and takes it again as
// messages come and go. So up to 32 freed allocations of up to 32 MiB together are cached; when the cache is full, a
// freed one replaces another. If the replaced ones are missed soon after, the store is too small for its traffic, and
// grows by them, up to 128 MiB: two messages of 16 MiB in turn need no more than one allocation, but when a sender and
// a receiver run at the same time, there are as many as are queued at once. A sweep takes back what was idle. A burst
// that is allocated as a whole and then freed as a whole misses nothing, so it leaves the store as it is. A request
// takes the cached allocation nearest to its size, if that is between half and twice the size. One that is too small
// grows if it can do so in place or by mremap, which faults in the missing pages only. One that is too large is used as
// it is, and the pages behind the block's end count as cached; if that exceeds the quota, it shrinks. Idle ones are
// released (cache_quota.h).
//
// Each allocation is one word in a shared store: address, size and the store's mark. So taking one does not read its
// memory, and equal words mean the same allocation.
//
// Progress: lock-free apart from the system calls. Thread safety: any thread. Fork: no lock is held; each process has
// its own copy of the memory.
#pragma once

#include <cstdint>

namespace xichan::internal {

struct LargeBlocks {
  /// Returns page-aligned memory for a block of `bytes` bytes and stores the size of its allocation; null without
  /// memory.
  static void* allocate(std::uint64_t bytes, std::uint64_t& mapped) noexcept;
  /// Caches the allocation of a block of `bytes` bytes, or frees it.
  static void deallocate(void* memory, std::uint64_t bytes, std::uint64_t mapped) noexcept;

  /// Frees all cached allocations.
  static void release_all() noexcept;
  static void follow_limit(std::uint64_t limit) noexcept;

  static std::uint64_t cached_bytes() noexcept;
  static std::uint64_t cached_blocks() noexcept;
};

}  // namespace xichan::internal
