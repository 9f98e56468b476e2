#include "arena/thread_cache.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

#include "arena/block.h"
#include "arena/cache_quota.h"
#include "arena/slots.h"

namespace xichan::internal {
namespace {

constexpr std::uint64_t thread_maximum = 1u << 20;
constexpr std::uint64_t depot_maximum = 8u << 20;

// Full and partly filled magazines of one class.
struct Depot {
  Slots<32> magazines;
  atomic<std::int64_t> rounds{0};
};

constinit Depot depots[class_count];
constinit Slots<64> empty_magazines;
constinit CacheQuota kept{depot_maximum};
constinit atomic<std::int64_t> alive_elsewhere[class_count + 1]{};

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

bool put(Magazine* magazine, unsigned which, std::uint32_t count) noexcept {
  const std::uint64_t bytes = std::uint64_t{count} * size_classes[which].size;
  magazine->count = count;
  if (!kept.add(bytes)) return false;
  depots[which].rounds.fetch_add(count, memory_order_relaxed);
  if (depots[which].magazines.put(as_word(magazine))) return true;
  depots[which].rounds.fetch_sub(count, memory_order_relaxed);
  kept.subtract(bytes);
  return false;
}

void note_taken(Magazine* magazine, unsigned which) noexcept {
  depots[which].rounds.fetch_sub(static_cast<std::int64_t>(magazine->count), memory_order_relaxed);
  kept.subtract(magazine->count * size_classes[which].size);
}

// To malloc with its blocks; the empty magazine stays the caller's.
void unload(Magazine* magazine, unsigned which, std::uint64_t count) noexcept {
  for (std::uint64_t i = 0; i < count; ++i) ThreadCache::give_back(which, magazine->rounds[i]);
}

void discard(Magazine* magazine, unsigned which) noexcept {
  note_taken(magazine, which);
  unload(magazine, which, magazine->count);
  std::free(magazine);
}

thread_local constinit bool departed = false;

}  // namespace

// Its destructor runs when its thread ends, whether by return, pthread_exit or the end of the process.
struct ThreadExitHook {
  ThreadExitHook() noexcept {}
  ~ThreadExitHook() { ThreadCache::leave(); }
};
namespace {
thread_local ThreadExitHook leaver;
}

thread_local constinit ThreadCache* ThreadCache::current_ = nullptr;
constinit atomic<std::uint64_t> ThreadCache::bound_{thread_maximum};  // relaxed: seen late it is met late

ThreadCache* ThreadCache::join() noexcept {
  if (departed) return nullptr;
  ThreadCache* cache = nullptr;
  for (Account* account = Budget::first_account(); account != nullptr; account = account->next) {
    ThreadCache* other = static_cast<ThreadCache*>(account);
    if (other->taken_.load(memory_order_relaxed)) continue;
    if (other->taken_.exchange(true, memory_order_acquire)) continue;  // (9) acquire, with (10)
    cache = other;
    break;
  }
  if (cache == nullptr) {
    void* memory = std::aligned_alloc(alignof(ThreadCache), sizeof(ThreadCache));
    if (memory == nullptr) return nullptr;
    cache = new (memory) ThreadCache;
    Budget::join(cache);
  }
  current_ = cache;
  [[maybe_unused]] ThreadExitHook* const volatile made = &leaver;  // the first use registers its destructor
  return cache;
}

void ThreadCache::leave() noexcept {
  departed = true;
  ThreadCache* cache = std::exchange(current_, nullptr);
  if (cache == nullptr) return;
  cache->flush();
  Budget::shed(cache);
  cache->taken_.store(false, memory_order_release);  // (10) release, with (9): all that its thread did with it
}

void ThreadCache::swap(ClassCache& shelf) noexcept {
  std::swap(shelf.loaded, shelf.previous);
  const std::uint32_t count = shelf.loaded_count.load(memory_order_relaxed);
  shelf.loaded_count.store(shelf.previous_count.load(memory_order_relaxed), memory_order_relaxed);
  shelf.previous_count.store(count, memory_order_relaxed);
}

// The loaded magazine is empty, or null.
bool ThreadCache::reload(ClassCache& shelf, unsigned which) noexcept {
  if (shelf.previous_count.load(memory_order_relaxed) == 0) {
    sweep_if_due();
    Magazine* full = as_magazine(depots[which].magazines.take());
    if (full == nullptr) return false;
    note_taken(full, which);
    drop_empty(std::exchange(shelf.previous, full));
    shelf.previous_count.store(static_cast<std::uint32_t>(full->count), memory_order_relaxed);
    bytes_ += full->count * size_classes[which].size;
  }
  swap(shelf);
  return true;
}

// The loaded magazine is full, or null.
bool ThreadCache::make_room(ClassCache& shelf, unsigned which) noexcept {
  const std::uint32_t full = shelf.previous_count.load(memory_order_relaxed);
  if (shelf.previous == nullptr || full != 0) {
    Magazine* empty = empty_magazine();
    if (empty == nullptr) return false;
    sweep_if_due();
    if (shelf.previous != nullptr) {
      bytes_ -= std::uint64_t{full} * size_classes[which].size;
      if (!put(shelf.previous, which, full)) {
        unload(shelf.previous, which, full);
        drop_empty(shelf.previous);
      }
    }
    shelf.previous = empty;
    shelf.previous_count.store(0, memory_order_relaxed);
  }
  swap(shelf);
  return true;
}

void ThreadCache::flush() noexcept {
  if (bytes_ == 0) return;
  for (unsigned which = 0; which < class_count; ++which) {
    ClassCache& shelf = shelves_[which];
    for (int i = 0; i < 2; ++i) {
      Magazine* magazine = std::exchange(shelf.loaded, nullptr);
      const std::uint32_t count = shelf.loaded_count.load(memory_order_relaxed);
      shelf.loaded_count.store(0, memory_order_relaxed);
      swap(shelf);
      if (magazine == nullptr || (count != 0 && put(magazine, which, count))) continue;
      unload(magazine, which, count);
      drop_empty(magazine);
    }
  }
  bytes_ = 0;
}

void* ThreadCache::allocate_from_system(unsigned which, std::uint64_t bytes) noexcept {
  const std::uint64_t size = size_classes[which].size;
  void* memory =
      size < Block::large_bytes ? std::malloc(size) : std::aligned_alloc(Block::large_alignment, size);  // B4
  if (memory != nullptr) unpoison(memory, bytes, size);
  return memory;
}

void ThreadCache::give_back([[maybe_unused]] unsigned which, void* memory) noexcept {
  unpoison(memory, size_classes[which].size, size_classes[which].size);
  std::free(memory);
}

void ThreadCache::sweep_depot() noexcept {
  for (unsigned which = 0; which < class_count; ++which) {
    depots[which].magazines.sweep([which](std::uint64_t word) { discard(as_magazine(word), which); });
  }
  empty_magazines.sweep([](std::uint64_t word) { std::free(as_magazine(word)); });
}

void ThreadCache::empty_depot() noexcept {
  for (unsigned which = 0; which < class_count; ++which) {
    while (Magazine* magazine = as_magazine(depots[which].magazines.take())) discard(magazine, which);
  }
  while (Magazine* magazine = as_magazine(empty_magazines.take())) std::free(magazine);
}

void ThreadCache::follow_limit(std::uint64_t limit) noexcept {
  bound_.store(std::min(thread_maximum, limit / 256), memory_order_relaxed);
  kept.follow_limit(limit);
}

void ThreadCache::count_alive_elsewhere(unsigned which, std::int64_t by) noexcept {
  alive_elsewhere[which].fetch_add(by, memory_order_relaxed);
}

ClassCounts ThreadCache::counts(unsigned which) noexcept {
  std::int64_t alive = alive_elsewhere[which].load(memory_order_relaxed);
  std::int64_t cached = which < class_count ? depots[which].rounds.load(memory_order_relaxed) : 0;
  for (Account* account = Budget::first_account(); account != nullptr; account = account->next) {
    const ClassCache& shelf = static_cast<ThreadCache*>(account)->shelves_[which];
    alive += shelf.alive.load(memory_order_relaxed);
    cached += shelf.loaded_count.load(memory_order_relaxed) + shelf.previous_count.load(memory_order_relaxed);
  }
  // While other threads work a sum may be off, but not absurd.
  return {static_cast<std::uint64_t>(std::max<std::int64_t>(alive, 0)),
          static_cast<std::uint64_t>(std::max<std::int64_t>(cached, 0))};
}

}  // namespace xichan::internal
