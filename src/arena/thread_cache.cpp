#include "arena/thread_cache.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

#include "arena/cache_quota.h"
#include "arena/slabs.h"
#include "arena/slots.h"

namespace xichan::internal {
namespace {

constexpr std::uint64_t thread_maximum = 1u << 20;
constexpr std::uint64_t depot_maximum = 2u << 20;

// Full and partially filled magazines of one class.
struct Depot {
  Slots<32> magazines;
  atomic<std::int64_t> rounds{0};
};

constinit Depot depots[class_count];
constinit Slots<64> empty_magazines;
constinit CacheQuota quota{depot_maximum};
const SweptStore swept_store(ThreadCache::sweep_depot);
constinit atomic<std::int64_t> alive_without_cache[class_count + 1]{};

std::uint64_t as_word(Magazine* magazine) noexcept { return reinterpret_cast<std::uintptr_t>(magazine); }
Magazine* as_magazine(std::uint64_t word) noexcept {
  return reinterpret_cast<Magazine*>(static_cast<std::uintptr_t>(word));
}

Magazine* empty_magazine() noexcept {
  if (Magazine* magazine = as_magazine(empty_magazines.take())) return magazine;
  return static_cast<Magazine*>(std::malloc(sizeof(Magazine)));
}
void drop_empty(Magazine* magazine) noexcept {
  if (magazine != nullptr && !empty_magazines.put(as_word(magazine))) std::free(magazine);
}

// Puts a magazine into the depot. Returns false, and leaves it to the caller, if the depot is full.
bool put(Magazine* magazine, unsigned size_class, std::uint32_t count) noexcept {
  const std::uint64_t bytes = std::uint64_t{count} * size_classes[size_class].size;
  magazine->count = count;
  if (!quota.add(bytes)) return false;
  depots[size_class].rounds.fetch_add(count, memory_order_relaxed);
  if (depots[size_class].magazines.put(as_word(magazine))) {
    note_cached();
    return true;
  }
  depots[size_class].rounds.fetch_sub(count, memory_order_relaxed);
  quota.subtract(bytes);
  return false;
}

void note_taken(Magazine* magazine, unsigned size_class) noexcept {
  depots[size_class].rounds.fetch_sub(static_cast<std::int64_t>(magazine->count), memory_order_relaxed);
  quota.subtract(magazine->count * size_classes[size_class].size);
}

// Frees the blocks of a magazine to their slabs. The caller keeps the empty magazine.
void unload(Magazine* magazine, std::uint64_t count) noexcept {
  for (std::uint64_t i = 0; i < count; ++i) Slabs::deallocate(magazine->rounds[i]);
}

void discard(Magazine* magazine, unsigned size_class) noexcept {
  note_taken(magazine, size_class);
  unload(magazine, magazine->count);
  std::free(magazine);
}

thread_local constinit bool departed = false;

}  // namespace

// Its destructor runs when its thread ends: by return, by pthread_exit, or with the process.
struct ThreadExitHook {
  ThreadExitHook() noexcept {}
  ~ThreadExitHook() { ThreadCache::leave(); }
};
namespace {
thread_local ThreadExitHook exit_hook;
}

thread_local constinit ThreadCache* ThreadCache::current_ = nullptr;
constinit atomic<std::uint64_t> ThreadCache::bound_{thread_maximum};  // relaxed: a stale limit only delays trimming

ThreadCache* ThreadCache::join() noexcept {
  if (departed) return nullptr;
  const unsigned entry = Accounts::take();
  if (entry == Accounts::most) return nullptr;
  auto* cache = static_cast<ThreadCache*>(Accounts::at(entry));
  if (cache == nullptr) {
    void* memory = std::aligned_alloc(alignof(ThreadCache), sizeof(ThreadCache));
    if (memory == nullptr) {
      Accounts::leave(entry);
      return nullptr;
    }
    cache = new (memory) ThreadCache(entry);
    Accounts::set(entry, cache);
  }
  current_ = cache;
  [[maybe_unused]] ThreadExitHook* const volatile made = &exit_hook;  // first use registers the destructor
  return cache;
}

void ThreadCache::leave() noexcept {
  departed = true;
  ThreadCache* cache = std::exchange(current_, nullptr);
  if (cache == nullptr) return;
  cache->flush();
  Budget::shed(cache);
  for (unsigned size_class = 0; size_class <= class_count; ++size_class) {
    atomic<std::int64_t>& alive = cache->class_caches_[size_class].alive;
    count_alive_without_cache(size_class, alive.load(memory_order_relaxed));
    alive.store(0, memory_order_relaxed);
  }
  Accounts::leave(cache->entry_);
}

void ThreadCache::swap(ClassCache& class_cache) noexcept {
  std::swap(class_cache.loaded, class_cache.previous);
  const std::uint32_t count = class_cache.loaded_count.load(memory_order_relaxed);
  class_cache.loaded_count.store(class_cache.previous_count.load(memory_order_relaxed), memory_order_relaxed);
  class_cache.previous_count.store(count, memory_order_relaxed);
}

// Called with an empty loaded magazine, or null. Returns false if the depot has no full one.
bool ThreadCache::reload(ClassCache& class_cache, unsigned size_class) noexcept {
  if (class_cache.previous_count.load(memory_order_relaxed) == 0) {
    sweep_if_due();
    Magazine* full = as_magazine(depots[size_class].magazines.take());
    if (full == nullptr) return false;
    note_taken(full, size_class);
    drop_empty(std::exchange(class_cache.previous, full));
    class_cache.previous_count.store(static_cast<std::uint32_t>(full->count), memory_order_relaxed);
    bytes_ += full->count * size_classes[size_class].size;
  }
  swap(class_cache);
  return true;
}

// Called with a full loaded magazine, or null. Returns false without memory for an empty one.
bool ThreadCache::make_room(ClassCache& class_cache, unsigned size_class) noexcept {
  const std::uint32_t full = class_cache.previous_count.load(memory_order_relaxed);
  if (class_cache.previous == nullptr || full != 0) {
    Magazine* empty = empty_magazine();
    if (empty == nullptr) return false;
    sweep_if_due();
    if (class_cache.previous != nullptr) {
      bytes_ -= std::uint64_t{full} * size_classes[size_class].size;
      if (!put(class_cache.previous, size_class, full)) {
        unload(class_cache.previous, full);
        drop_empty(class_cache.previous);
      }
    }
    class_cache.previous = empty;
    class_cache.previous_count.store(0, memory_order_relaxed);
  }
  swap(class_cache);
  return true;
}

void ThreadCache::flush() noexcept {
  if (bytes_ == 0) return;
  for (unsigned size_class = 0; size_class < class_count; ++size_class) {
    ClassCache& class_cache = class_caches_[size_class];
    for (int i = 0; i < 2; ++i) {
      Magazine* magazine = std::exchange(class_cache.loaded, nullptr);
      const std::uint32_t count = class_cache.loaded_count.load(memory_order_relaxed);
      class_cache.loaded_count.store(0, memory_order_relaxed);
      swap(class_cache);
      if (magazine == nullptr || (count != 0 && put(magazine, size_class, count))) continue;
      unload(magazine, count);
      drop_empty(magazine);
    }
  }
  bytes_ = 0;
}

void* ThreadCache::allocate_from_system(unsigned size_class, std::uint64_t bytes) noexcept {
  void* memory = Slabs::allocate(size_class);
  if (memory != nullptr) unpoison(memory, bytes, size_classes[size_class].size);
  return memory;
}

void ThreadCache::sweep_depot() noexcept {
  for (unsigned size_class = 0; size_class < class_count; ++size_class) {
    depots[size_class].magazines.sweep([size_class](std::uint64_t word) { discard(as_magazine(word), size_class); });
  }
  empty_magazines.sweep([](std::uint64_t word) { std::free(as_magazine(word)); });
}

void ThreadCache::empty_depot() noexcept {
  for (unsigned size_class = 0; size_class < class_count; ++size_class) {
    while (Magazine* magazine = as_magazine(depots[size_class].magazines.take())) discard(magazine, size_class);
  }
  while (Magazine* magazine = as_magazine(empty_magazines.take())) std::free(magazine);
}

std::uint64_t ThreadCache::depot_bytes() noexcept { return quota.bytes(); }

void ThreadCache::follow_limit(std::uint64_t limit) noexcept {
  bound_.store(std::min(thread_maximum, limit / 256), memory_order_relaxed);
  quota.follow_limit(limit);
}

void ThreadCache::count_alive_without_cache(unsigned size_class, std::int64_t by) noexcept {
  alive_without_cache[size_class].fetch_add(by, memory_order_relaxed);
}

ClassCounts ThreadCache::counts(unsigned size_class) noexcept {
  std::int64_t alive = alive_without_cache[size_class].load(memory_order_relaxed);
  std::int64_t cached = size_class < class_count ? depots[size_class].rounds.load(memory_order_relaxed) : 0;
  Accounts::for_each([&](Account& account) noexcept {
    const ClassCache& class_cache = static_cast<ThreadCache&>(account).class_caches_[size_class];
    alive += class_cache.alive.load(memory_order_relaxed);
    cached +=
        class_cache.loaded_count.load(memory_order_relaxed) + class_cache.previous_count.load(memory_order_relaxed);
  });
  // While other threads run, a sum may be slightly negative: clamp it.
  return {static_cast<std::uint64_t>(std::max<std::int64_t>(alive, 0)),
          static_cast<std::uint64_t>(std::max<std::int64_t>(cached, 0))};
}

}  // namespace xichan::internal
