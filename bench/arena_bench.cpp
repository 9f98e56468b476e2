// The arena beside malloc and mimalloc: what a block costs to get, to fill and to free, on one thread and across two.
//
//   build/cpp/bench/bench_arena
//       --benchmark_report_aggregates_only=true
//
// `malloc` and `mimalloc` are those allocators alone. `malloc_counted` and `mimalloc_counted` are what would take the
// arena's place: the same header, counts and byte limit, with that allocator below. `malloc_shared` counts as the arena
// did before: in words shared by all threads. mimalloc is loaded by name (the library replaces malloc when linked), and
// left out if it is not there.
#include <benchmark/benchmark.h>
#include <dlfcn.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <random>
#include <thread>

#include "arena/arena.h"
#include "arena/budget.h"
#include "arena/thread_cache.h"
#include "support.h"

namespace xichan::internal {
namespace {

constexpr std::uint64_t header = sizeof(Block);

struct Malloc {
  static void* get(std::uint64_t bytes) { return std::malloc(bytes + header); }
  static void free(void* memory, std::uint64_t) { std::free(memory); }
};

struct Mimalloc {
  static bool load() {
    void* library = dlopen("libmimalloc.so.2", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return false;
    allocate = reinterpret_cast<void* (*)(std::size_t)>(dlsym(library, "mi_malloc"));
    release = reinterpret_cast<void (*)(void*)>(dlsym(library, "mi_free"));
    return allocate != nullptr && release != nullptr;
  }
  static void* get(std::uint64_t bytes) { return allocate(bytes + header); }
  static void free(void* memory, std::uint64_t) { release(memory); }

  inline static void* (*allocate)(std::size_t);
  inline static void (*release)(void*);
};

template <class Below>
struct Counted {
  static void* get(std::uint64_t bytes) {
    ThreadCache* cache = ThreadCache::mine();
    if (!Budget::charge(cache, bytes + header)) return nullptr;
    cache->count_alive(0, 1);
    return new (Below::get(bytes)) std::atomic<std::uint64_t>(1);
  }
  static void free(void* memory, std::uint64_t bytes) {
    if (static_cast<std::atomic<std::uint64_t>*>(memory)->load(std::memory_order_acquire) != 1) std::abort();
    ThreadCache* cache = ThreadCache::mine();
    cache->count_alive(0, -1);
    Below::free(memory, bytes);
    Budget::refund(cache, bytes + header);
  }
};

struct alignas(64) SharedWords {
  std::atomic<std::uint64_t> blocks{0};
  std::atomic<std::uint64_t> bytes{0};
};
SharedWords shared_words;

struct MallocShared {
  static void* get(std::uint64_t bytes) {
    SharedWords& words = shared_words;
    std::uint64_t held = words.bytes.load(std::memory_order_relaxed);
    while (!words.bytes.compare_exchange_weak(held, held + bytes, std::memory_order_relaxed)) {
    }
    words.blocks.fetch_add(1, std::memory_order_relaxed);
    return new (std::malloc(bytes + header)) std::atomic<std::uint64_t>(1);
  }
  static void free(void* memory, std::uint64_t bytes) {
    if (static_cast<std::atomic<std::uint64_t>*>(memory)->load(std::memory_order_acquire) != 1) std::abort();
    shared_words.blocks.fetch_sub(1, std::memory_order_relaxed);
    shared_words.bytes.fetch_sub(bytes, std::memory_order_relaxed);
    std::free(memory);
  }
};

struct Ours {
  static void* get(std::uint64_t bytes) {
    Block* block;
    return Arena::allocate(bytes, 0, block) == Status::ok ? block : nullptr;
  }
  static void free(void* memory, std::uint64_t) { Arena::release(static_cast<Block*>(memory)); }
};

enum class Fill { head, pages, all };

void fill(void* memory, std::uint64_t bytes, Fill how) {
  char* data = static_cast<char*>(memory) + header;
  if (how == Fill::all) {
    std::memset(data, 1, bytes);
  } else if (how == Fill::pages) {
    for (std::uint64_t i = 0; i < bytes; i += 4096) data[i] = 1;
  }
  benchmark::DoNotOptimize(data[0] = 2);
}

template <class Allocator>
void one_thread(benchmark::State& state, std::uint64_t bytes, Fill how) {
  for (auto _ : state) {
    void* memory = Allocator::get(bytes);
    fill(memory, bytes, how);
    Allocator::free(memory, bytes);
  }
}

/// One thread allocates and fills, the other frees; at most `Depth` blocks lie between them.
template <class Allocator>
void two_threads(benchmark::State& state, std::uint64_t bytes, Fill how, std::size_t depth) {
  const auto ring = std::make_unique<std::atomic<void*>[]>(depth);
  static char end;
  std::thread receiver([&] {
    for (std::size_t i = 0;; ++i) {
      std::atomic<void*>& slot = ring[i % depth];
      void* memory;
      for (unsigned tries = 0; (memory = slot.load(std::memory_order_acquire)) == nullptr; ++tries) {
        tries < 200 ? cpu_relax() : std::this_thread::yield();
      }
      slot.store(nullptr, std::memory_order_release);
      if (memory == &end) return;
      Allocator::free(memory, bytes);
    }
  });
  std::size_t i = 0;
  const auto send = [&](void* memory) {
    std::atomic<void*>& slot = ring[i++ % depth];
    for (unsigned tries = 0; slot.load(std::memory_order_acquire) != nullptr; ++tries) {
      tries < 200 ? cpu_relax() : std::this_thread::yield();
    }
    slot.store(memory, std::memory_order_release);
  };
  for (auto _ : state) {
    void* memory = Allocator::get(bytes);
    fill(memory, bytes, how);
    send(memory);
  }
  send(&end);
  receiver.join();
}

/// Sizes from 16 bytes to 4 MiB, each power of two as likely, with 64 blocks alive; a byte of each page is written.
template <class Allocator>
void mixed(benchmark::State& state) {
  std::mt19937 random(1);
  std::array<std::uint64_t, 4096> sizes;
  for (std::uint64_t& size : sizes) {
    const std::uint64_t top = std::uint64_t{16} << random() % 18;
    size = top + random() % top;
  }
  struct Held {
    void* memory;
    std::uint64_t bytes;
  };
  std::array<Held, 64> held{};
  std::size_t i = 0;
  for (auto _ : state) {
    Held& slot = held[i * 7 % held.size()];
    if (slot.memory != nullptr) Allocator::free(slot.memory, slot.bytes);
    slot = {Allocator::get(sizes[i % sizes.size()]), sizes[i % sizes.size()]};
    fill(slot.memory, slot.bytes, Fill::pages);
    ++i;
  }
  for (const Held& slot : held) {
    if (slot.memory != nullptr) Allocator::free(slot.memory, slot.bytes);
  }
}

template <class Allocator>
void add(const std::string& name) {
  constexpr std::uint64_t small = 80;  // the body of a message of 64 bytes
  constexpr std::uint64_t mib = 1 << 20;
  const auto enter = [&](const std::string& what, auto... arguments) {
    bench::with_statistics(benchmark::RegisterBenchmark((what + "/" + name).c_str(), arguments...))->UseRealTime();
  };
  enter("one_thread_80", one_thread<Allocator>, small, Fill::head);
  enter("one_thread_2000", one_thread<Allocator>, std::uint64_t{2000}, Fill::head);
  enter("one_thread_64KiB", one_thread<Allocator>, std::uint64_t{64 * 1024}, Fill::all);
  enter("one_thread_1MiB", one_thread<Allocator>, mib, Fill::all);
  enter("two_threads_80", two_threads<Allocator>, small, Fill::head, std::size_t{1024});
  enter("two_threads_2000", two_threads<Allocator>, std::uint64_t{2000}, Fill::head, std::size_t{1024});
  enter("two_threads_64KiB", two_threads<Allocator>, std::uint64_t{64 * 1024}, Fill::all, std::size_t{16});
  enter("two_threads_1MiB", two_threads<Allocator>, mib, Fill::all, std::size_t{4});
  enter("mixed_16B_4MiB", mixed<Allocator>);
}

// Before main.cpp's main() runs them.
[[maybe_unused]] const bool entered = [] {
  add<Ours>("arena");
  add<Malloc>("malloc");
  add<MallocShared>("malloc_shared");
  add<Counted<Malloc>>("malloc_counted");
  if (Mimalloc::load()) {
    add<Mimalloc>("mimalloc");
    add<Counted<Mimalloc>>("mimalloc_counted");
  }
  return true;
}();

}  // namespace
}  // namespace xichan::internal
