// Recycles blocks of up to 32 KiB: per-thread magazines for each size class over a shared depot (J. Bonwick, J. Adams,
// "Magazines and Vmem", USENIX 2001).
//
// malloc is correct but slow here: blocks are allocated on one thread and freed on another, so each one returns to a
// malloc arena that another thread is using, under that arena's lock. A free list per thread does not help either: the
// sender's would always be empty and the receiver's always full. So free blocks travel back in bulk. A thread fills a
// *magazine*, an array of up to 63 blocks, and exchanges it at the *depot* for an empty one; the other thread does the
// reverse. A thread has two magazines per class: the loaded one, and the previous one, which is full or empty. Without
// the second, a thread at the boundary would access the depot for every block. So only one block in dozens touches
// another thread's cache line, and no lock is taken (slots.h). Fresh memory comes from slabs block by block, and blocks
// return to their slabs when the caches hold enough (slabs.h, cache_quota.h).
//
// A thread's cache holds at most 1 MiB, and at most 1/256 of the byte limit; it may exceed that by one magazine until
// its next free. Blocks beyond that are flushed to the depot. The destructor of a thread-local object flushes the whole
// cache when the thread ends. Blocks that the thread frees after that (in other such destructors) go straight to
// their slabs. The cache itself remains for the next thread that starts. It is never freed, so its counts can be read
// at any time.
//
// Fork: the child's one thread continues with its own cache. The magazines of the other threads are lost to the child,
// as are those in transit between a cache and the depot: that memory is not reused, but never used twice.
//
// Progress: lock-free apart from the system calls below the slabs and malloc for magazines. Thread safety: a cache
// belongs to its thread, except for `counts`.
#pragma once

#include <cstdint>

#include "arena/budget.h"
#include "arena/poison.h"
#include "arena/size_class.h"
#include "base/atomic.h"

// Makes access one load instead of a call. Uses 8 bytes of the small reserve that glibc, and only glibc, keeps for the
// thread-locals of libraries that are loaded later.
#ifdef __GLIBC__
#define XICHAN_FAST_THREAD_LOCAL [[gnu::tls_model("initial-exec")]]
#else
#define XICHAN_FAST_THREAD_LOCAL
#endif

namespace xichan::internal {

/// An array of free blocks of one class. `count` is valid only while the magazine is in the depot.
struct Magazine {
  std::uint64_t count;
  void* rounds[magazine_rounds];
};
static_assert(sizeof(Magazine) == 512);

/// Block counts of one class; class `class_count` stands for all blocks above the largest class.
struct ClassCounts {
  std::uint64_t alive;
  std::uint64_t cached;
};

class alignas(cache_line) ThreadCache : public Account {
 public:
  /// Returns the calling thread's cache; null if the thread is ending, or without memory for a cache.
  static ThreadCache* mine() noexcept { return current_ != nullptr ? current_ : join(); }
  /// Returns the number of a thread, which no other thread that is alive has: 0, 1, ..., lowest first. 0 for a thread
  /// that can have no cache.
  static unsigned thread_number() noexcept {
    const ThreadCache* cache = mine();
    return cache != nullptr ? cache->entry_ : 0;
  }

  /// Returns the calling thread's cache; null if it has not needed one.
  static ThreadCache* current() noexcept { return current_; }

  /// Returns the memory of a cached block; null if neither the cache nor the depot has one.
  void* take(unsigned size_class, std::uint64_t bytes) noexcept {
    ClassCache& class_cache = class_caches_[size_class];
    std::uint32_t count = class_cache.loaded_count.load(memory_order_relaxed);
    if (count == 0) {
      if (!reload(class_cache, size_class)) return nullptr;
      count = class_cache.loaded_count.load(memory_order_relaxed);
    }
    void* memory = class_cache.loaded->rounds[--count];
    class_cache.loaded_count.store(count, memory_order_relaxed);
    const std::uint32_t size = size_classes[size_class].size;
    bytes_ -= size;
    unpoison(memory, bytes, size);
    return memory;
  }

  /// Caches a block's memory. Returns false if the cache is full; the caller still owns the memory then.
  bool keep(unsigned size_class, void* memory) noexcept {
    const auto [size, rounds] = size_classes[size_class];
    if (bytes_ + size > bound_.load(memory_order_relaxed)) {
      flush();
      return false;
    }
    ClassCache& class_cache = class_caches_[size_class];
    std::uint32_t count = class_cache.loaded_count.load(memory_order_relaxed);
    if (class_cache.loaded == nullptr || count == rounds) {
      if (!make_room(class_cache, size_class)) return false;
      count = class_cache.loaded_count.load(memory_order_relaxed);
    }
    poison(memory, size);
    class_cache.loaded->rounds[count] = memory;
    class_cache.loaded_count.store(count + 1, memory_order_relaxed);
    bytes_ += size;
    return true;
  }

  /// Adds `by`, 1 or -1, to the number of blocks alive.
  void count_alive(unsigned size_class, std::int64_t by) noexcept {
    atomic<std::int64_t>& alive = class_caches_[size_class].alive;
    alive.store(alive.load(memory_order_relaxed) + by, memory_order_relaxed);
  }
  /// Does the same for threads without a cache, and by any number.
  static void count_alive_without_cache(unsigned size_class, std::int64_t by) noexcept;

  bool has_cached() const noexcept { return bytes_ != 0; }

  /// Moves all blocks to the depot, or to their slabs if the depot is full.
  void flush() noexcept;

  /// Allocates the memory of one block from a slab.
  static void* allocate_from_system(unsigned size_class, std::uint64_t bytes) noexcept;

  /// Releases idle magazines, see SweptStore.
  static void sweep_depot() noexcept;
  static void empty_depot() noexcept;
  static std::uint64_t depot_bytes() noexcept;
  static void follow_limit(std::uint64_t limit) noexcept;

  /// Returns sums over all threads; exact while no other thread uses the arena. `size_class` may be `class_count`.
  static ClassCounts counts(unsigned size_class) noexcept;

 private:
  // Written by the owning thread only; any thread may read the counts.
  struct ClassCache {
    Magazine* loaded;
    Magazine* previous;  // full, empty or null
    atomic<std::uint32_t> loaded_count;
    atomic<std::uint32_t> previous_count;
    atomic<std::int64_t> alive;  // blocks allocated minus blocks freed by this thread
  };

  explicit ThreadCache(unsigned entry) noexcept : entry_(entry) {}

  // Take over an abandoned cache, or create one; abandon the thread's cache.
  static ThreadCache* join() noexcept;
  static void leave() noexcept;

  static void swap(ClassCache& class_cache) noexcept;
  bool reload(ClassCache& class_cache, unsigned size_class) noexcept;
  bool make_room(ClassCache& class_cache, unsigned size_class) noexcept;

  XICHAN_FAST_THREAD_LOCAL static thread_local constinit ThreadCache* current_;
  static atomic<std::uint64_t> bound_;

  const unsigned entry_;                        // in the table of accounts
  std::uint64_t bytes_ = 0;                     // of blocks in the magazines
  ClassCache class_caches_[class_count + 1]{};  // the last entry has counts only

  friend struct ThreadExitHook;
};

}  // namespace xichan::internal
