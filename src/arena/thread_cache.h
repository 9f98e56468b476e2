// Blocks of up to 32 KiB, recycled: magazines per thread and class over a depot (J. Bonwick, J. Adams, "Magazines and
// Vmem", USENIX 2001).
//
// malloc alone is right, but slow where it matters here: blocks are allocated on one thread and freed on another, so
// each of them comes back to an arena that another thread is using, under its lock. A list of free blocks per thread
// does not help either: the sender's would always be empty and the receiver's always full. So free blocks travel back
// in bulk: a thread fills a *magazine*, an array of up to 63 blocks, and hands it to the *depot*, where the other
// thread exchanges an empty one for it. Per class a thread has two: one that it works on, and the previous one, which
// is full or empty; without that a thread at the edge would go to the depot with each block. Only one block in dozens
// meets another thread's cache line, and no lock is taken (slots.h). Fresh memory comes from malloc, block by block,
// and that is where blocks return to when enough is kept (kept.h).
//
// A thread's cache keeps at most 1 MiB, and at most 1/256 of the byte limit, or a magazine more until its next free;
// what goes beyond that is handed to the depot. So is all of it when the thread ends, by the destructor of a
// thread-local object. Blocks that are freed on the thread even later (by other such destructors) go straight to
// malloc. The cache itself stays for the next thread that starts: it is never freed, so its counts can be read at any
// time, and nobody finds it gone.
//
// Fork: the child's one thread goes on with its own cache. The other threads' magazines are lost to the child, as are
// those that were on their way between a cache and the depot: memory that is not reused, never memory used twice.
//
// Progress: lock-free as long as malloc is not called. Thread safety: a cache belongs to its thread, except for
// `counts`.
#pragma once

#include <cstdint>

#include "arena/budget.h"
#include "arena/poison.h"
#include "arena/size_class.h"
#include "base/atomic.h"

// One load in place of a call. It takes 8 bytes of the little room that glibc keeps for thread-locals of libraries
// loaded late, and only glibc does.
#ifdef __GLIBC__
#define XICHAN_FAST_THREAD_LOCAL [[gnu::tls_model("initial-exec")]]
#else
#define XICHAN_FAST_THREAD_LOCAL
#endif

namespace xichan::internal {

/// Whole magazines only are handed from thread to thread; `count` is right while it lies in the depot.
struct Magazine {
  std::uint64_t count;
  void* rounds[magazine_rounds];
};
static_assert(sizeof(Magazine) == 512);

/// Counts blocks of one class; `class_count` stands for those above the largest.
struct ClassCounts {
  std::uint64_t alive;
  std::uint64_t cached;
};

class alignas(cache_line) ThreadCache : public Account {
 public:
  /// The calling thread's; null if it is about to end, or there is no memory for one.
  static ThreadCache* mine() noexcept { return current_ != nullptr ? current_ : join(); }

  /// A block's memory, or null if none is at hand.
  void* take(unsigned which, std::uint64_t bytes) noexcept {
    ClassCache& shelf = shelves_[which];
    std::uint32_t count = shelf.loaded_count.load(memory_order_relaxed);
    if (count == 0) {
      if (!reload(shelf, which)) return nullptr;
      count = shelf.loaded_count.load(memory_order_relaxed);
    }
    void* memory = shelf.loaded->rounds[--count];
    shelf.loaded_count.store(count, memory_order_relaxed);
    const std::uint32_t size = size_classes[which].size;
    bytes_ -= size;
    unpoison(memory, bytes, size);
    return memory;
  }

  /// False if there is no place for it: the caller still owns it then.
  bool keep(unsigned which, void* memory) noexcept {
    const auto [size, rounds] = size_classes[which];
    if (bytes_ + size > bound_.load(memory_order_relaxed)) {
      flush();
      return false;
    }
    ClassCache& shelf = shelves_[which];
    std::uint32_t count = shelf.loaded_count.load(memory_order_relaxed);
    if (shelf.loaded == nullptr || count == rounds) {
      if (!make_room(shelf, which)) return false;
      count = shelf.loaded_count.load(memory_order_relaxed);
    }
    poison(memory, size);
    shelf.loaded->rounds[count] = memory;
    shelf.loaded_count.store(count + 1, memory_order_relaxed);
    bytes_ += size;
    return true;
  }

  /// By 1 or -1.
  void count_alive(unsigned which, std::int64_t by) noexcept {
    atomic<std::int64_t>& alive = shelves_[which].alive;
    alive.store(alive.load(memory_order_relaxed) + by, memory_order_relaxed);
  }
  /// The same for a thread without a cache.
  static void count_alive_elsewhere(unsigned which, std::int64_t by) noexcept;

  /// Hands all magazines to the depot.
  void flush() noexcept;

  /// Fresh memory for a class and back to where that comes from.
  static void* allocate_from_system(unsigned which, std::uint64_t bytes) noexcept;
  static void give_back(unsigned which, void* memory) noexcept;

  static void sweep_depot() noexcept;
  static void empty_depot() noexcept;
  static void follow_limit(std::uint64_t limit) noexcept;

  /// Sums over all threads; exact while nothing else runs. `which` may be `class_count`.
  static ClassCounts counts(unsigned which) noexcept;

 private:
  // Written by the owner alone; counts may be read by anybody.
  struct ClassCache {
    Magazine* loaded;
    Magazine* previous;  // full, empty or null
    atomic<std::uint32_t> loaded_count;
    atomic<std::uint32_t> previous_count;
    atomic<std::int64_t> alive;  // allocated less freed by this thread
  };

  static ThreadCache* join() noexcept;
  static void leave() noexcept;

  static void swap(ClassCache& shelf) noexcept;
  bool reload(ClassCache& shelf, unsigned which) noexcept;
  bool make_room(ClassCache& shelf, unsigned which) noexcept;

  XICHAN_FAST_THREAD_LOCAL static thread_local constinit ThreadCache* current_;
  static atomic<std::uint64_t> bound_;

  std::uint64_t bytes_ = 0;  // of blocks in the magazines
  atomic<bool> taken_{true};
  ClassCache shelves_[class_count + 1]{};  // the last one has no magazines

  friend struct ThreadExitHook;
};

}  // namespace xichan::internal
