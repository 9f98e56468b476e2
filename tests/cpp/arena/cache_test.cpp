// The arena's caches: alignment, reuse, release of idle memory, and thread exit.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <thread>
#include <vector>

#include "arena/arena.h"
#include "arena/cache_quota.h"
#include "arena/pages.h"
#include "arena/size_class.h"
#include "support/support.h"

namespace xichan::internal {
namespace {

constexpr std::uint64_t mib = 1 << 20;

class ArenaCache : public test::ArenaTest {
 protected:
  ArenaCache() { Arena::release_cached(); }
  void TearDown() override {
    Arena::set_limit(UINT64_MAX);
    ArenaTest::TearDown();
  }
};

/// Allocates a block of `total` bytes and writes to all of them.
Block* block_of(std::uint64_t total) {
  Block* block = nullptr;
  EXPECT_EQ(Arena::allocate(total - sizeof(Block), 0, block), Status::ok);
  EXPECT_EQ(block->total_bytes(), total);
  std::memset(block->body(), 0xab, block->body_bytes());
  return block;
}

void allocate_and_release(std::uint64_t total, std::size_t count) {
  std::vector<Block*> blocks(count);
  for (Block*& block : blocks) block = block_of(total);
  for (Block* block : blocks) Arena::release(block);
}

std::uint64_t cached() { return memory_stats().cached; }

MemoryClass class_with(std::uint64_t size) {
  std::array<MemoryClass, memory_class_count> classes;
  const std::size_t used = memory_classes(classes);
  for (std::size_t i = 0; i < used; ++i) {
    if (classes[i].size == size) return classes[i];
  }
  return {size, 0, 0};
}

TEST(ArenaSizeClass, WastesAtMostOneSixteenth) {
  for (std::uint64_t bytes = sizeof(Block); bytes <= largest_class; bytes += Block::alignment) {
    const std::uint64_t size = size_classes[class_of(bytes)].size;
    ASSERT_GE(size, bytes);
    ASSERT_LE(size - bytes, bytes <= 512 ? 0 : bytes / 16) << bytes;
    ASSERT_EQ(size % (bytes < Block::large_bytes ? 16 : 64), 0u) << bytes;
  }
}

TEST_F(ArenaCache, BlocksOf1024BytesOrMoreAreAlignedTo64) {
  for (int fresh_then_used_again = 0; fresh_then_used_again < 2; ++fresh_then_used_again) {
    std::vector<Block*> blocks;
    for (std::uint64_t total = sizeof(Block); total < 70'000; total += total < 2048 ? 16 : 2000) {
      for (int twice = 0; twice < 2; ++twice) {
        blocks.push_back(block_of(total));
        const auto address = reinterpret_cast<std::uintptr_t>(blocks.back());
        ASSERT_EQ(address % (total >= 1024 ? 64 : 16), 0u) << total;
      }
    }
    for (const std::uint64_t references : {1u, 62u, 1000u}) {
      Block* block;
      ASSERT_EQ(Arena::allocate(0, references, block), Status::ok);
      ASSERT_EQ(reinterpret_cast<std::uintptr_t>(block) % (block->total_bytes() >= 1024 ? 64 : 16), 0u);
      Arena::discard(block);
    }
    for (Block* block : blocks) Arena::release(block);
  }
}

TEST_F(ArenaCache, FreedMemoryIsReused) {
  for (const std::uint64_t total : {std::uint64_t{112}, std::uint64_t{5008}, std::uint64_t{1} << 20}) {
    Arena::release_cached();
    const std::uint64_t nothing = cached();
    Block* block = block_of(total);
    EXPECT_EQ(cached(), nothing);
    const void* where = block;
    Arena::release(block);
    EXPECT_GE(cached(), nothing + total);
    block = block_of(total);
    EXPECT_EQ(block, where) << total;
    EXPECT_EQ(cached(), nothing);
    Arena::release(block);
  }
}

TEST_F(ArenaCache, StatisticsListClassesInUse) {
  const std::uint64_t size = size_classes[class_of(5008)].size;
  std::vector<Block*> blocks = {block_of(5008), block_of(5008), block_of(5008)};
  EXPECT_EQ(class_with(size).alive, 3u);
  Arena::release(blocks[0]);
  EXPECT_EQ(class_with(size).alive, 2u);
  EXPECT_EQ(class_with(size).cached, 1u);
  Block* large = block_of(100'000);
  EXPECT_EQ(class_with(UINT64_MAX).alive, 1u);
  Arena::release(large);
  EXPECT_EQ(class_with(UINT64_MAX).alive, 0u);
  EXPECT_EQ(class_with(UINT64_MAX).cached, 1u);
  std::array<MemoryClass, 1> first;
  EXPECT_EQ(memory_classes(first), 1u);
  EXPECT_EQ(memory_classes({}), 0u);
  Arena::release(blocks[1]);
  Arena::release(blocks[2]);
}

TEST_F(ArenaCache, CachedMappingServesSimilarSizes) {
  const std::uint64_t nothing = cached();
  // Larger, smaller, much smaller and much larger than the cached mappings; each block is written to its end.
  for (const std::uint64_t total : {mib, mib + mib / 2, mib, mib / 2 + 16, mib / 8, 8 * mib, 5 * mib}) {
    Block* block = block_of(total);
    Block* other = block_of(total + 4096);
    for (std::uint64_t i = 0; i < block->body_bytes(); i += 1024) ASSERT_EQ(block->body()[i], std::byte{0xab});
    Arena::release(block);
    Arena::release(other);
  }
  EXPECT_GT(cached(), nothing);
  Arena::release_cached();
  EXPECT_EQ(cached(), nothing);
}

void burst(std::size_t count) { allocate_and_release(16 * mib, count); }

TEST_F(ArenaCache, StoreOfLargeBlocksGrowsWithTrafficThatMissesWhatItEvicted) {
  Arena::release_cached();
  for (int i = 0; i < 3; ++i) burst(5);
  EXPECT_GE(cached(), 80 * mib);
  const std::uint64_t returned = Pages::returned_bytes();
  for (int i = 0; i < 3; ++i) burst(5);
  EXPECT_EQ(Pages::returned_bytes(), returned);
  for (int i = 0; i < 2; ++i) burst(20);
  EXPECT_LE(cached(), 128 * mib);
}

TEST_F(ArenaCache, StoreOfLargeBlocksDoesNotGrowInOneBurst) {
  Arena::release_cached();
  burst(10);
  EXPECT_LE(cached(), 32 * mib);
  EXPECT_GE(cached(), 16 * mib);
}

TEST_F(ArenaCache, StoreOfLargeBlocksShrinksWhenIdle) {
  Arena::release_cached();
  for (int i = 0; i < 3; ++i) burst(5);
  sweep_stores();
  sweep_stores();
  EXPECT_LE(cached(), 16 * mib);
  burst(10);
  EXPECT_LE(cached(), 32 * mib);
  for (int i = 0; i < 3; ++i) burst(5);
  Arena::release_cached();
  burst(10);
  EXPECT_LE(cached(), 32 * mib);
}

TEST_F(ArenaCache, StoreOfLargeBlocksKeepsToItsShareOfTheLimit) {
  set_memory_limit(3'000 * mib);
  for (int i = 0; i < 5; ++i) burst(5);
  EXPECT_LE(cached(), 3'000 * mib / 64);
  EXPECT_GE(cached(), 32 * mib);
}

TEST_F(ArenaCache, SecondSweepReleasesIdleMemory) {
  // On a thread that ends, so that no block stays in its magazines.
  std::thread([] {
    for (const std::uint64_t total : {80u, 1040u, 20'000u, 100'000u}) allocate_and_release(total, 200);
  }).join();
  EXPECT_GT(class_with(80).cached, 0u);
  EXPECT_GT(class_with(UINT64_MAX).cached, 0u);
  sweep_stores();
  sweep_stores();
  EXPECT_EQ(cached(), 0u);
}

TEST_F(ArenaCache, SweepKeepsMemoryUsedSinceLastSweep) {
  allocate_and_release(1 << 20, 1);
  allocate_and_release(3 << 20, 1);
  sweep_stores();
  allocate_and_release(1 << 20, 1);
  sweep_stores();
  EXPECT_EQ(class_with(UINT64_MAX).cached, 1u);
  sweep_stores();
  EXPECT_EQ(class_with(UINT64_MAX).cached, 0u);
}

TEST_F(ArenaCache, CachedMemoryStaysWithinQuota) {
  for (const std::uint64_t limit : {UINT64_MAX, 640 * mib, 64 * mib, mib}) {
    Arena::set_limit(limit);
    const std::uint64_t shared = std::min(8 * mib, limit / 32) + std::min(32 * mib, limit / 32);
    const std::uint64_t bound = shared + 2 * std::min(mib, limit / 256);  // this thread and the new one
    std::thread([&] {
      for (const std::uint64_t total : {48u, 112u, 1040u, 9'008u, 32'768u, 33'008u, 200'000u}) {
        allocate_and_release(total, std::min(limit, 60 * mib) / total / 2);
        EXPECT_LE(cached(), bound);
      }
      if (limit > 60 * mib) allocate_and_release(5 << 20, 5);
      EXPECT_LE(cached(), bound);
    }).join();
    EXPECT_LE(cached(), bound);
  }
}

TEST_F(ArenaCache, EndingThreadFlushesItsMagazines) {
  const test::Watchdog watchdog("threads that end with full magazines");
  for (int round = 0; round < test::rounds(50); ++round) {
    test::together(4, [](unsigned thread) { allocate_and_release(80 + 16 * thread, 100); });
  }
  std::uint64_t flushed = 0;
  for (unsigned thread = 0; thread < 4; ++thread) flushed += class_with(80 + 16 * thread).cached;
  EXPECT_GE(flushed, 100u) << "at least those of the last thread; a sweep may have intervened";
  Arena::release_cached();
  EXPECT_EQ(cached(), 0u) << "caches of ended threads are empty";
}

struct Late {
  std::vector<Block*> blocks;
  ~Late() {
    for (Block* block : blocks) Arena::release(block);
    for (const std::uint64_t total : {80u, 5008u, 100'000u}) allocate_and_release(total, 3);
    Block* block = block_of(80);
    Arena::retain(block);
    Arena::release(block);
    Arena::release(block);
  }
};

TEST_F(ArenaCache, BlocksMayBeFreedAfterThreadCacheIsFlushed) {
  std::thread([] {
    static thread_local Late late;  // constructed before the thread's cache, so destroyed after it
    late.blocks.reserve(100);
    for (const std::uint64_t total : {80u, 5008u, 100'000u}) {
      for (int i = 0; i < 30; ++i) late.blocks.push_back(block_of(total));
    }
  }).join();
}

TEST_F(ArenaCache, BlocksFreedOnOneThreadAreReusedOnAnother) {
  const test::Watchdog watchdog("blocks passed between threads", std::chrono::seconds(120));
  constexpr std::size_t slots = 64;
  std::array<std::atomic<Block*>, slots> hand{};
  const int count = test::rounds(20'000);
  constexpr std::array<std::uint64_t, 8> sizes = {48, 112, 112, 112, 1040, 112, 5008, 66'000};
  // Thread 0 sends to 1 and 1 to 2; each releases the block it receives and sends a new one.
  test::together(3, [&](unsigned thread) {
    for (int i = 0; i < count; ++i) {
      std::atomic<Block*>& in = hand[static_cast<std::size_t>(i) % (slots / 2) + (thread == 2 ? slots / 2 : 0)];
      std::atomic<Block*>& out = hand[static_cast<std::size_t>(i) % (slots / 2) + (thread == 1 ? slots / 2 : 0)];
      const auto mark = static_cast<std::byte>(i);
      if (thread != 0) {
        Block* block = nullptr;
        test::await([&] { return (block = in.exchange(nullptr)) != nullptr; });
        ASSERT_EQ(block->body()[0], mark);
        ASSERT_EQ(block->body()[block->body_bytes() - 1], mark);
        Arena::release(block);
      }
      if (thread != 2) {
        Block* block = block_of(sizes[static_cast<std::size_t>(i) % sizes.size()]);
        block->body()[0] = block->body()[block->body_bytes() - 1] = mark;
        test::await([&] { return out.load() == nullptr; });
        out.store(block);
      }
    }
  });
}

TEST_F(ArenaCache, ManyThreadsShareCachedMappings) {
  const test::Watchdog watchdog("large blocks from many threads", std::chrono::seconds(120));
  test::together(4, [](unsigned thread) {
    for (int i = 0; i < test::rounds(1'000); ++i) {
      Block* block = nullptr;
      ASSERT_EQ(Arena::allocate(40'000 + static_cast<std::uint64_t>(i % 7) * 30'000, 0, block), Status::ok);
      const auto mark = static_cast<std::byte>(thread * 64 + static_cast<unsigned>(i) % 64);
      std::memset(block->body(), static_cast<int>(mark), block->body_bytes());
      if (i % 16 == 0) std::this_thread::yield();
      for (std::uint64_t k = 0; k < block->body_bytes(); k += 4'000) ASSERT_EQ(block->body()[k], mark);
      Arena::release(block);
      if (thread == 0 && i % 100 == 0) sweep_stores();
    }
  });
}

}  // namespace
}  // namespace xichan::internal
