// Allocation: layout of blocks, counters, limit and failures.
#include "arena/arena.h"

#include <cstring>

#include "support/support.h"

namespace xichan::internal {
namespace {

class ArenaAllocate : public test::ArenaTest {
 protected:
  void TearDown() override {
    Arena::fail_after(-1);
    Arena::set_limit(UINT64_MAX);
    ArenaTest::TearDown();
  }
};

TEST_F(ArenaAllocate, CountsBlockUntilLastReferenceIsReleased) {
  Block* block;
  ASSERT_EQ(Arena::allocate(1000, 0, block), Status::ok);
  EXPECT_EQ(new_blocks(), 1u);
  EXPECT_EQ(new_bytes(), block->total_bytes());
  EXPECT_GE(block->total_bytes(), 1000 + sizeof(Block));
  Arena::retain(block);
  Arena::retain(block, 3);
  for (int i = 0; i < 4; ++i) Arena::release(block);
  EXPECT_EQ(new_blocks(), 1u);
  Arena::release(block);
  EXPECT_EQ(new_blocks(), 0u);
  EXPECT_EQ(new_bytes(), 0u);
}

TEST_F(ArenaAllocate, AlignsBodyAndReferenceTable) {
  for (std::uint64_t bytes = 0; bytes <= 130; ++bytes) {
    for (const std::uint32_t references : {0, 1, 3}) {
      Block* block;
      ASSERT_EQ(Arena::allocate(bytes, references, block), Status::ok);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block->body()) % Block::alignment, 0u);
      EXPECT_EQ(block->body_bytes(), (bytes + 15) / 16 * 16);
      EXPECT_EQ(block->reference_count(), references);
      EXPECT_EQ(reinterpret_cast<std::byte*>(block->references()), block->body() + block->body_bytes());
      EXPECT_EQ(block->total_bytes(), sizeof(Block) + block->body_bytes() + references * sizeof(Reference));
      std::memset(block->body(), 0xff, block->total_bytes() - sizeof(Block));  // lets AddressSanitizer check the bounds
      Arena::discard(block);
    }
  }
}

TEST_F(ArenaAllocate, BlocksDoNotOverlap) {
  std::vector<Block*> blocks(500);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    ASSERT_EQ(Arena::allocate(i, 0, blocks[i]), Status::ok);
    std::memset(blocks[i]->body(), static_cast<int>(i & 0xff), i);
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) ASSERT_EQ(blocks[i]->body()[k], static_cast<std::byte>(i & 0xff));
    Arena::release(blocks[i]);
  }
}

TEST_F(ArenaAllocate, RefusesAllocationBeyondLimit) {
  const std::uint64_t used = memory_stats().bytes;
  Block* first;
  ASSERT_EQ(Arena::allocate(1000, 0, first), Status::ok);
  set_memory_limit(used + 2 * first->total_bytes());
  EXPECT_EQ(memory_stats().limit, used + 2 * first->total_bytes());

  Block* second;
  ASSERT_EQ(Arena::allocate(1000, 0, second), Status::ok) << "an allocation exactly up to the limit succeeds";
  Block* third;
  EXPECT_EQ(Arena::allocate(0, 0, third), Status::arena_full);
  EXPECT_EQ(third, nullptr);
  EXPECT_EQ(new_blocks(), 2u);

  Arena::release(first);
  ASSERT_EQ(Arena::allocate(1000, 0, first), Status::ok) << "a release makes room";
  set_memory_limit(0);
  EXPECT_EQ(Arena::allocate(0, 0, third), Status::arena_full);
  EXPECT_EQ(new_blocks(), 2u) << "a lower limit does not affect blocks alive";
  set_memory_limit(UINT64_MAX);
  ASSERT_EQ(Arena::allocate(0, 0, third), Status::ok);
  for (Block* block : {first, second, third}) Arena::release(block);
}

TEST_F(ArenaAllocate, HighWaterIsMaximumOfBytesAlive) {
  Block* big;
  // Exceeds the maximum of all earlier tests in this process.
  ASSERT_EQ(Arena::allocate(memory_stats().high_water + 10'000'000, 0, big), Status::ok);
  const std::uint64_t peak = memory_stats().bytes;
  Arena::release(big);
  EXPECT_EQ(memory_stats().high_water, peak);
  Block* small;
  ASSERT_EQ(Arena::allocate(1, 0, small), Status::ok);
  EXPECT_EQ(memory_stats().high_water, peak);
  Arena::release(small);
}

TEST_F(ArenaAllocate, RefusedAllocationDoesNotChangeCounters) {
  const MemoryStats before = memory_stats();
  Block* block;
  EXPECT_EQ(Arena::allocate(PTRDIFF_MAX / 2, 0, block), Status::no_memory);
  EXPECT_EQ(block, nullptr);
  set_memory_limit(before.bytes + 100);
  EXPECT_EQ(Arena::allocate(100, 0, block), Status::arena_full);
  const MemoryStats after = memory_stats();
  EXPECT_EQ(after.blocks, before.blocks);
  EXPECT_EQ(after.bytes, before.bytes);
  EXPECT_EQ(after.high_water, before.high_water);
}

TEST_F(ArenaAllocate, OverflowingSizesAreTooLarge) {
  struct Size {
    std::uint64_t body, references;
  };
  const std::uint64_t two63 = std::uint64_t{1} << 63;
  const std::uint64_t two32 = std::uint64_t{1} << 32;
  for (const auto& [body, references] :
       {Size{UINT64_MAX, 0}, Size{UINT64_MAX - 15, 0}, Size{UINT64_MAX - 31, 0}, Size{UINT64_MAX - 47, 0},
        Size{two63, 0}, Size{two63 - 1, 0}, Size{two63 - 32, 0}, Size{two63 - 47, 0}, Size{0, UINT64_MAX},
        Size{0, two63}, Size{0, std::uint64_t{1} << 60}, Size{0, two32}, Size{16, two32 + 1},
        Size{UINT64_MAX - 100, two32 - 1}}) {
    Block* block;
    EXPECT_EQ(Arena::allocate(body, references, block), Status::too_large) << body << ", " << references;
    EXPECT_EQ(block, nullptr);
  }
  EXPECT_EQ(new_bytes(), 0u);
}

TEST_F(ArenaAllocate, InjectedFailureStartsAtGivenAllocation) {
  std::vector<Block*> blocks(5);
  Arena::fail_after(3);
  for (std::size_t i = 0; i < 3; ++i) ASSERT_EQ(Arena::allocate(16, 0, blocks[i]), Status::ok);
  EXPECT_EQ(Arena::allocate(16, 0, blocks[3]), Status::no_memory);
  EXPECT_EQ(Arena::allocate(16, 0, blocks[3]), Status::no_memory) << "and all later ones";
  EXPECT_EQ(blocks[3], nullptr);
  EXPECT_EQ(new_blocks(), 3u);
  Arena::fail_after(-1);
  for (std::size_t i = 3; i < 5; ++i) ASSERT_EQ(Arena::allocate(16, 0, blocks[i]), Status::ok);
  for (Block* block : blocks) Arena::release(block);
}

TEST_F(ArenaAllocate, ManyThreadsStayWithinLimit) {
  const test::Watchdog watchdog("the limit against many threads");
  const std::uint64_t limit = memory_stats().bytes + 64 * 1024;
  set_memory_limit(limit);
  std::atomic<int> refused{0};
  test::together(4, [&](unsigned) {
    std::vector<Block*> mine;
    for (int i = 0; i < test::rounds(20'000); ++i) {
      Block* block;
      if (Arena::allocate(500, 0, block) == Status::ok) {
        std::memset(block->body(), 0xee, 500);
        mine.push_back(block);
        EXPECT_LE(memory_stats().bytes, limit);
      } else {
        ++refused;
        for (Block* b : mine) Arena::release(b);
        mine.clear();
      }
    }
    for (Block* b : mine) Arena::release(b);
  });
  EXPECT_GT(refused.load(), 0);
}

TEST_F(ArenaAllocate, HugeRequestDoesNotRefuseOtherThreads) {
  const test::Watchdog watchdog("a huge request");
  set_memory_limit(memory_stats().bytes + (1u << 20));
  std::atomic<bool> done{false};
  test::together(2, [&](unsigned thread) {
    Block* block;
    if (thread == 0) {
      while (!done.load()) EXPECT_EQ(Arena::allocate(1u << 30, 0, block), Status::arena_full);
      return;
    }
    for (int i = 0; i < 100'000; ++i) {
      const Status status = Arena::allocate(100, 0, block);
      EXPECT_EQ(status, Status::ok) << "a small request fits";
      if (status != Status::ok) break;
      Arena::release(block);
    }
    done.store(true);
  });
}

}  // namespace
}  // namespace xichan::internal
