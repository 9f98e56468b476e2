// Allocates and frees the blocks of the process. The arena belongs to no interpreter and is never destroyed: any thread
// may release the last reference to a block at any time, even while the process exits.
//
// It has five parts: the byte limit (budget.h), magazines for blocks of up to 32 KiB (thread_cache.h) over slabs of
// them (slabs.h), runs of pages for larger blocks (large.h, pages.h), the memory of rings (ring_memory.h), and the
// bounds on cached memory (cache_quota.h).
//
// Progress: lock-free on the fast path; that of the system calls where fresh memory is needed.
// Thread safety: every function may be called from any thread. Fork: the child may keep using the arena; it has no
// lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "arena/block.h"
#include "xichan/export.h"
#include "xichan/memory.h"
#include "xichan/status.h"

namespace xichan::internal {

class XICHAN_API Arena {
 public:
  /// Allocates a block with one reference; its body and reference table are uninitialized. On failure `block` is null
  /// and the status is `no_memory`, `arena_full` or `too_large`. Never blocks.
  static Status allocate(std::uint64_t body_bytes, std::uint64_t reference_count, Block*& block) noexcept;

  static void retain(Block* block, std::uint32_t count = 1) noexcept {
    // relaxed: the caller already holds a reference
    if (block->refs_.fetch_add(count, memory_order_relaxed) >= Block::saturated) [[unlikely]] {
      block->refs_.store(Block::saturated_refs, memory_order_relaxed);  // B5
    }
  }

  /// Releases one reference. Releasing the last one frees the block and releases its references, in constant stack
  /// depth. The caller must hold no lock of the core: releasing an endpoint may close its channel.
  static void release(Block* block) noexcept {
    // (1) acquire, with the release half of (2) in another thread: its reads of the body happen before this thread
    // frees it. If this thread holds the only reference, the count cannot change, so no read-modify-write is needed.
    const std::uint32_t seen = block->refs_.load(memory_order_acquire);
    if (seen >= Block::saturated) [[unlikely]]
      return;                                                                               // B5
    if (seen == 1 || block->refs_.fetch_sub(1, memory_order_acq_rel) == 1) dispose(block);  // (2)
  }

  /// Frees an unpublished block without reading its reference table.
  static void discard(Block* block) noexcept { free_memory(block); }

  static void set_limit(std::uint64_t bytes) noexcept;
  static MemoryStats stats() noexcept;
  static std::size_t class_stats(std::span<MemoryClass> classes) noexcept;

  /// Releases all cached memory to the system, except for the magazines of other threads. Returns the number of bytes
  /// returned to the system meanwhile.
  static std::uint64_t release_cached() noexcept;
  /// Called by a thread that has slept for a while and sleeps on: its cache, and idle memory, are not needed.
  static void idle() noexcept;
  /// Returns true if the calling thread or a shared store has cached memory.
  static bool has_cached() noexcept;

  /// Test hook: `countdown` more allocations succeed, and all later ones fail. A negative value turns it off.
  static void fail_after(std::int64_t countdown) noexcept;
  /// Test hooks: read and set the number of references.
  static std::uint32_t references(const Block* block) noexcept { return block->refs_.load(memory_order_relaxed); }
  static void set_references(Block* block, std::uint32_t count) noexcept {
    block->refs_.store(count, memory_order_relaxed);
  }

 private:
  static void dispose(Block* block) noexcept;
  static void free_memory(Block* block) noexcept;
};

/// The type of references to another block.
XICHAN_API extern const ReferenceType block_reference;

}  // namespace xichan::internal
