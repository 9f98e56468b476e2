// The process-wide store of blocks. It belongs to the process, never to an interpreter, and is never destroyed: any
// thread may drop the last count of a block at any time, also while the process ends.
//
// Four parts, each described where it stands: the limit (budget.h), blocks of up to 32 KiB from magazines
// (thread_cache.h), larger ones from mappings (large.h), and how much is kept of what was freed (kept.h).
//
// Progress: lock-free on the usual path; as malloc or the system where fresh memory is needed.
// Thread safety: every function may be called from any thread. Fork: the child may go on using it; nothing is locked.
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
  /// A fresh block with one count, its body and table uninitialised. On failure `block` is null and the status is
  /// `no_memory`, `arena_full` or `too_large`. Never waits.
  static Status allocate(std::uint64_t body_bytes, std::uint64_t reference_count, Block*& block) noexcept;

  static void retain(Block* block, std::uint32_t count = 1) noexcept {
    block->refs_.fetch_add(count, memory_order_relaxed);  // who calls this owns a count already
  }

  /// Gives one count back. The last one disposes of the block and of all that only it held, in constant stack depth.
  /// Must be called without any lock of the core held: giving back a channel end may close that channel.
  static void release(Block* block) noexcept {
    // (1) acquire, with the release half of (2) in another thread: its reads of the body come before our free. A
    // count of one that is ours cannot grow, so the owner of the only count needs no read-modify-write.
    if (block->refs_.load(memory_order_acquire) == 1 || block->refs_.fetch_sub(1, memory_order_acq_rel) == 1) {  // (2)
      dispose(block);
    }
  }

  /// Frees a block that was never published and whose reference table was not filled in.
  static void discard(Block* block) noexcept { free_memory(block); }

  static void set_limit(std::uint64_t bytes) noexcept;
  static MemoryStats stats() noexcept;
  static std::size_t class_stats(std::span<MemoryClass> classes) noexcept;

  /// Gives the system back what is kept for reuse, but for other threads' own magazines.
  static void give_back_cached() noexcept;

  /// Test hook: the allocation after `countdown` more of them fails, and each one after that; negative turns it off.
  static void fail_after(std::int64_t countdown) noexcept;

 private:
  static void dispose(Block* block) noexcept;
  static void free_memory(Block* block) noexcept;
};

/// The type of references that name another block.
XICHAN_API extern const ReferenceType block_reference;

}  // namespace xichan::internal
