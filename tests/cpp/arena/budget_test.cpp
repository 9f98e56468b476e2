// The byte limit with credits of several threads; injected failures; fork.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

#include "arena/arena.h"
#include "arena/budget.h"
#include "support/support.h"

namespace xichan::internal {
namespace {

class ArenaBudget : public test::ArenaTest {
 protected:
  void TearDown() override {
    Arena::fail_after(-1);
    Arena::set_limit(UINT64_MAX);
    ArenaTest::TearDown();
  }
};

TEST_F(ArenaBudget, CreditsOfSleepingThreadsAreReclaimed) {
  const test::Watchdog watchdog("credits of sleeping threads");
  const std::uint64_t before = memory_stats().bytes;
  constexpr std::uint64_t room = 8 * Budget::batch;
  set_memory_limit(before + room);
  std::atomic<unsigned> asleep{0};
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] {
      Block* block;
      ASSERT_EQ(Arena::allocate(100, 0, block), Status::ok);  // reserves a batch
      Arena::release(block);
      asleep.fetch_add(1);
      test::await([&] { return done.load(); });
    });
  }
  test::await([&] { return asleep.load() == threads.size(); });
  EXPECT_EQ(memory_stats().bytes, before) << "a credit is not a block";

  std::vector<Block*> blocks;
  Block* block;
  while (Arena::allocate(1000, 0, block) == Status::ok) blocks.push_back(block);
  ASSERT_FALSE(blocks.empty());
  EXPECT_EQ(blocks.size(), room / blocks[0]->total_bytes()) << "exact to the last block that fits";
  EXPECT_EQ(new_bytes(), blocks.size() * blocks[0]->total_bytes());
  for (Block* b : blocks) Arena::release(b);
  Block* all = nullptr;
  EXPECT_EQ(Arena::allocate(room - sizeof(Block), 0, all), Status::ok) << "the whole limit is available for one block";
  EXPECT_EQ(Arena::allocate(0, 0, block), Status::arena_full);
  if (all != nullptr) Arena::release(all);
  done.store(true);
  for (std::thread& thread : threads) thread.join();
}

TEST_F(ArenaBudget, LimitHoldsWhileOtherThreadsFree) {
  const test::Watchdog watchdog("the limit when others free", std::chrono::seconds(120));
  const std::uint64_t before = memory_stats().bytes;
  const std::uint64_t limit = before + 10 * Budget::batch;
  set_memory_limit(limit);
  std::array<std::atomic<Block*>, 512> shared{};
  std::atomic<std::uint64_t> refused{0};
  test::together(4, [&](unsigned thread) {
    for (int i = 0; i < test::rounds(50'000); ++i) {
      const auto random = static_cast<std::uint32_t>(i + 1) * 2654435761u ^ thread * 40503u;
      std::atomic<Block*>& slot = shared[random % shared.size()];
      Block* block = nullptr;
      if (random >> 9 & 1) {
        const Status status = Arena::allocate(random >> 10 & 2047, 0, block);
        ASSERT_TRUE(status == Status::ok || status == Status::arena_full);
        refused.fetch_add(status != Status::ok);
        ASSERT_LE(memory_stats().bytes, limit);
      }
      if (Block* old = slot.exchange(block)) Arena::release(old);
    }
  });
  EXPECT_GT(refused.load(), 0u);
  std::uint64_t held = 0;
  for (std::atomic<Block*>& slot : shared) held += slot.load() == nullptr ? 0 : slot.load()->total_bytes();
  EXPECT_EQ(new_bytes(), held);
  for (std::atomic<Block*>& slot : shared) {
    if (Block* block = slot.load()) Arena::release(block);
  }
  Block* all;
  ASSERT_EQ(Arena::allocate(limit - before - sizeof(Block), 0, all), Status::ok)
      << "the whole limit is available again";
  Arena::release(all);
}

TEST_F(ArenaBudget, LowerLimitAppliesToCredits) {
  Block* block;
  ASSERT_EQ(Arena::allocate(100, 0, block), Status::ok);
  set_memory_limit(memory_stats().bytes);
  Block* other;
  EXPECT_EQ(Arena::allocate(0, 0, other), Status::arena_full);
  Arena::release(block);
  EXPECT_EQ(Arena::allocate(0, 0, other), Status::ok);
  Arena::release(other);
}

TEST_F(ArenaBudget, FailureAtEachAllocationLeaksNothing) {
  constexpr std::array<std::uint64_t, 6> sizes = {0, 100, 2000, 40'000, 300'000, 100};
  for (std::int64_t n = 0; n <= static_cast<std::int64_t>(sizes.size()); ++n) {
    Arena::fail_after(n);
    std::vector<Block*> blocks;
    for (const std::uint64_t size : sizes) {
      Block* block;
      const Status status = Arena::allocate(size, 0, block);
      ASSERT_EQ(status, static_cast<std::int64_t>(blocks.size()) < n ? Status::ok : Status::no_memory);
      if (status == Status::ok) blocks.push_back(block);
    }
    EXPECT_EQ(new_blocks(), blocks.size());
    for (Block* block : blocks) Arena::release(block);
    EXPECT_EQ(new_bytes(), 0u);
  }
}

TEST_F(ArenaBudget, ForkedChildKeepsAllocating) {
  if (test::sanitized) GTEST_SKIP() << "fork may copy locked mutexes of the sanitizers' allocators";
  const test::Watchdog watchdog("forks in traffic", std::chrono::seconds(120));
  std::atomic<bool> done{false};
  std::array<std::atomic<Block*>, 16> shared{};
  const auto churn = [&](unsigned seed, int count) {
    constexpr std::array<std::uint64_t, 6> sizes = {20, 100, 1000, 20'000, 70'000, 200'000};
    for (int i = 0; i < count || (count == 0 && !done.load()); ++i) {
      const std::uint32_t random = (seed + static_cast<std::uint32_t>(i)) * 2654435761u;
      const std::uint32_t size_class = i % 50 == 0 ? 4 + (random >> 20 & 1) : random >> 8 & 3;
      Block* block;
      if (Arena::allocate(sizes[size_class] + (random >> 16 & 63), 0, block) != Status::ok) return false;
      std::memset(block->body(), 1, block->body_bytes());
      if (Block* old = shared[random % shared.size()].exchange(block)) Arena::release(old);
    }
    return true;
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 3; ++i) threads.emplace_back([&, i] { EXPECT_TRUE(churn(i * 1000, 0)); });
  for (int i = 0; i < test::rounds(20); ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(60);  // kills a hanging child
      bool good = churn(7, 3000);
      std::thread other([&] { good = churn(9, 3000) && good; });
      other.join();
      Arena::set_limit(UINT64_MAX);
      _exit(good ? 0 : 1);
    }
    ASSERT_GT(child, 0);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << "signal " << WTERMSIG(status);
  }
  done.store(true);
  for (std::thread& thread : threads) thread.join();
  for (std::atomic<Block*>& slot : shared) {
    if (Block* block = slot.load()) Arena::release(block);
  }
}

}  // namespace
}  // namespace xichan::internal
