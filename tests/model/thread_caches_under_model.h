// The thread caches under the model: the real sources, with one size class (shim/arena/size_class.h) and a malloc that
// tracks its blocks. A block that is lost, handed out twice or accessed by two threads causes a failed assertion or a
// data race. Include it in one source file only: it defines the functions that it replaces.
#pragma once

#include "thread_cache_sources.h"

namespace xichan::internal::model {
namespace {

constexpr int no_thread = -1;
constexpr int most_caches = 4;
constexpr unsigned rounds = size_classes[0].rounds;
constexpr std::uint64_t block_bytes = size_classes[0].size;

// A block. Its owner writes to it; in a cache it has no owner.
struct Thing {
  rl::var<int> owner;
};

// The environment of the caches in one schedule.
struct World {
  static constexpr int most = 16;

  Thing things[most];
  bool freed[most] = {};
  int allocated = 0;
  rl::var<int> users[most_caches];  // the thread that uses each cache
  int caches = 0;
  bool has_clock = false;
  int now = 0;  // seconds
  int sweeps = 0;
};
World* world;
alignas(ThreadCache) std::byte cache_memory[most_caches][sizeof(ThreadCache)];
StaticAtomic<Thing*> mailboxes[4];

void* allocate_memory(std::uint64_t bytes) noexcept {
  if (bytes == sizeof(Magazine)) return ::operator new(bytes);  // tracked by the checker
  RL_ASSERT(false);
  return nullptr;
}
void* allocate_block() noexcept {
  RL_ASSERT(world->allocated < World::most);
  return &world->things[world->allocated++];
}
void* allocate_cache(std::uint64_t alignment, std::uint64_t bytes) noexcept {
  RL_ASSERT(alignment == alignof(ThreadCache) && bytes == sizeof(ThreadCache) && world->caches < most_caches);
  return cache_memory[world->caches++];
}
void free_memory(void* memory) noexcept {
  Thing* thing = static_cast<Thing*>(memory);
  if (thing < world->things || thing >= world->things + World::most) return ::operator delete(memory);
  RL_ASSERT(!std::exchange(world->freed[thing - world->things], true));
  RL_ASSERT(thing->owner($) == no_thread);
  thing->owner($) = no_thread;  // a write, as malloc does
}
// Advances by a second at any call, or stays before the first sweep.
int read_clock(int, timespec* now) noexcept {
  if (world->has_clock) world->now += rl::rand(2);
  *now = {.tv_sec = world->has_clock ? world->now : -1, .tv_nsec = 0};
  return 0;
}

const SweptStore counted_store([]() noexcept { ++world->sweeps; });

// Threads that each run `work(index)` and then end.
template <class Derived, unsigned Threads>
struct WithCaches : Model<Derived, Threads> {
  World surroundings;

  void begin() {
    world = &surroundings;
    Statics::make();
    for (Thing& thing : surroundings.things) thing.owner($) = no_thread;
    for (rl::var<int>& user : surroundings.users) user($) = no_thread;
  }
  void thread(unsigned index) {
    set_locals({});
    static_cast<Derived*>(this)->work(static_cast<int>(index));
    leave();
  }
  // Nothing is lost: every block is in the depot or was freed.
  void after() {
    set_locals({.departed = true});
    for (StaticAtomic<Thing*>& mailbox : mailboxes) {
      if (Thing* thing = mailbox.exchange(nullptr, memory_order_relaxed)) drop(thing, no_thread);
    }
    int caches = 0;
    RL_ASSERT(live_bits[0].debug_value() == 0);
    for (unsigned entry = 0; entry < Accounts::most; ++entry) {
      Account* account = account_table[entry].debug_value();
      if (account == nullptr) continue;
      ThreadCache& cache = *static_cast<ThreadCache*>(account);
      check(cache);
      RL_ASSERT(cache.entry_ == entry && cache.bytes_ == 0 && cache.credit.debug_value() == 0);
      drop_empty(cache.class_caches_[0].loaded);
      drop_empty(cache.class_caches_[0].previous);
      ++caches;
    }
    RL_ASSERT(caches == surroundings.caches);
    RL_ASSERT(ThreadCache::counts(0).alive == 0);
    const Depot& depot = depots[0];
    RL_ASSERT(quota.bytes() == depot.rounds.debug_value() * block_bytes && quota.bytes() <= quota.bound());
    ThreadCache::empty_depot();
    RL_ASSERT(quota.bytes() == 0 && depot.rounds.debug_value() == 0);
    for (int i = 0; i < surroundings.allocated; ++i) RL_ASSERT(surroundings.freed[i]);
    RL_ASSERT(surroundings.sweeps <= surroundings.now + 1);
    for (int i = 0; i < caches; ++i) reinterpret_cast<ThreadCache*>(cache_memory[i])->~ThreadCache();
    set_locals({});
    Statics::drop();
  }
  // Between calls of the cache's owner.
  static void check(ThreadCache& cache) {
    const auto& class_cache = cache.class_caches_[0];
    const std::uint32_t loaded = class_cache.loaded_count.debug_value();
    const std::uint32_t previous = class_cache.previous_count.debug_value();
    RL_ASSERT(loaded <= (class_cache.loaded != nullptr ? rounds : 0));
    RL_ASSERT(previous == 0 || (previous == rounds && class_cache.previous != nullptr));
    RL_ASSERT(cache.bytes_ == (loaded + previous) * block_bytes);
  }

  // The calling thread's cache; no other thread uses it.
  static ThreadCache* cache_of(int thread) {
    ThreadCache* cache = ThreadCache::mine();
    if (cache == nullptr) return nullptr;
    rl::var<int>& user = user_of(cache);
    if (user($) != thread) {
      RL_ASSERT(user($) == no_thread);
      user($) = thread;
    }
    check(*cache);
    return cache;
  }
  static rl::var<int>& user_of(ThreadCache* cache) {
    const auto offset = reinterpret_cast<std::byte*>(cache) - cache_memory[0];
    return world->users[static_cast<std::uint64_t>(offset) / sizeof(ThreadCache)];
  }
  // Ends the thread: its thread-local object is destroyed.
  static void leave() {
    if (ThreadCache* cache = ThreadCache::current_) {
      check(*cache);
      user_of(cache)($) = no_thread;
    }
    ThreadExitHook();
  }
  // Simulates earlier threads that ran at the same time and left caches and blocks behind.
  static void leave_behind(int caches, int things = 0) {
    ThreadCache* left[most_caches];
    for (int i = 0; i < caches; ++i) {
      set_locals({});
      left[i] = cache_of(i);
    }
    for (int i = 0; i < caches; ++i) {
      set_locals({.current = left[i]});
      for (int j = 0; j < things; ++j) RL_ASSERT(left[i]->keep(0, ThreadCache::allocate_from_system(0, block_bytes)));
      leave();
    }
  }

  // The same as Arena::allocate and Arena::free_memory.
  static Thing* get(int thread) {
    ThreadCache* cache = cache_of(thread);
    void* memory = cache != nullptr ? cache->take(0, block_bytes) : nullptr;
    if (memory == nullptr) memory = ThreadCache::allocate_from_system(0, block_bytes);
    count_alive(cache, 1);
    return own(static_cast<Thing*>(memory), thread);
  }
  static void drop(Thing* thing, int thread) {
    disown(thing, thread);
    ThreadCache* cache = cache_of(thread);
    count_alive(cache, -1);
    if (cache != nullptr && cache->keep(0, thing)) return;
    RL_ASSERT(cache == nullptr || cache->bytes_ == 0);  // the cache was full and was flushed
    free_memory(thing);
  }
  static void count_alive(ThreadCache* cache, int by) {
    cache != nullptr ? cache->count_alive(0, by) : ThreadCache::count_alive_without_cache(0, by);
  }
  static Thing* own(Thing* thing, int thread) {
    RL_ASSERT(!world->freed[thing - world->things]);
    RL_ASSERT(thing->owner($) == no_thread);
    thing->owner($) = thread;
    return thing;
  }
  static void disown(Thing* thing, int thread) {
    RL_ASSERT(thing->owner($) == thread);
    thing->owner($) = no_thread;
  }
  // Pass a block from one thread to another, as a channel does.
  static void send(Thing* thing, int thread, int mailbox) {
    disown(thing, thread);
    mailboxes[mailbox].store(thing, memory_order_release);
  }
  static Thing* receive(int thread, int mailbox) {
    Thing* thing = mailboxes[mailbox].exchange(nullptr, memory_order_acquire);
    return thing == nullptr ? nullptr : own(thing, thread);
  }
};

}  // namespace
}  // namespace xichan::internal::model
