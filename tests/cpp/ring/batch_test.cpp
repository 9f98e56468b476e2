// Slots claimed as a batch: as many as are ready, in order, across the wrap of the slots and of the counters.
#include <algorithm>
#include <numeric>

#include "ring/ring_flavors.h"
#include "support/support.h"

namespace xichan::internal {
namespace {

using Ring = test::Mpmc::Of<std::uint64_t>;

TEST(RingBatch, PushesAsManyAsFitAndPopsAsManyAsQueued) {
  for (const std::uint64_t capacity : {1, 2, 3, 5, 8, 64}) {
    for (const std::uint64_t first_lap : {std::uint64_t{0}, UINT64_MAX}) {
      Ring ring(capacity, first_lap);
      std::vector<std::uint64_t> items(capacity * 2), taken(capacity * 2);
      std::uint64_t sent = 0, received = 0, done;
      for (std::uint64_t size = 1; size <= capacity * 2; ++size) {
        std::iota(items.begin(), items.end(), sent);
        ASSERT_EQ(ring.try_push_many(items.data(), size, done), Status::ok);
        ASSERT_EQ(done, std::min(size, capacity));
        sent += done;
        ASSERT_EQ(ring.size(), done);
        const std::uint64_t rest = capacity - done;
        ASSERT_EQ(ring.try_push_many(items.data() + done, capacity, done), rest == 0 ? Status::full : Status::ok);
        ASSERT_EQ(done, rest);
        sent += done;
        ASSERT_EQ(ring.try_pop_many(taken.data(), size, done), Status::ok);
        ASSERT_EQ(done, std::min(size, capacity));
        for (std::uint64_t i = 0; i < done; ++i) ASSERT_EQ(taken[i], received++);
        while (ring.try_pop_many(taken.data(), 1, done) == Status::ok) ASSERT_EQ(taken[0], received++);
        ASSERT_EQ(done, 0u);
        ASSERT_EQ(sent, received);
        ASSERT_EQ(ring.size(), 0u);
      }
    }
  }
}

TEST(RingBatch, BatchesAndSingleItemsKeepOrder) {
  Ring ring(4);
  const std::uint64_t items[] = {1, 2, 3, 4};
  std::uint64_t taken[4], done;
  ASSERT_EQ(ring.try_push(0), Status::ok);
  ASSERT_EQ(ring.try_push_many(items, 4, done), Status::ok);
  ASSERT_EQ(done, 3u);
  ASSERT_EQ(ring.try_pop(taken[0]), Status::ok);
  ASSERT_EQ(taken[0], 0u);
  ASSERT_EQ(ring.try_pop_many(taken, 4, done), Status::ok);
  ASSERT_EQ(done, 3u);
  EXPECT_EQ(taken[2], 3u);
  EXPECT_EQ(ring.pushed(), 4u);
}

TEST(RingBatch, CloseRefusesBatchesAndKeepsQueuedItems) {
  Ring ring(4);
  const std::uint64_t items[] = {1, 2, 3};
  std::uint64_t taken[4], done;
  ASSERT_EQ(ring.try_push_many(items, 3, done), Status::ok);
  ring.close();
  EXPECT_EQ(ring.try_push_many(items, 1, done), Status::closed);
  EXPECT_EQ(done, 0u);
  EXPECT_EQ(ring.try_pop_many(taken, 4, done), Status::ok);
  EXPECT_EQ(done, 3u);
  EXPECT_EQ(ring.try_pop_many(taken, 4, done), Status::closed);
  EXPECT_EQ(done, 0u);
}

// What lies in several segments, too.
TEST(RingBatch, SegmentedRingPopsAllThatIsQueuedWithOneClaim) {
  SegmentedRing<std::uint64_t> ring;
  std::vector<std::uint64_t> taken(20'000);
  std::uint64_t sent = 0, received = 0, done;
  for (const std::uint64_t size : {1, 2, 5'000, 1, 20'000, 3, 9'000, 9'000, 20'000}) {
    for (std::uint64_t i = 0; i < size; ++i) ASSERT_EQ(ring.try_push(sent++), Status::ok);
    ASSERT_EQ(ring.try_pop_many(taken.data(), size + 1, done), Status::ok);
    ASSERT_EQ(done, size);
    for (std::uint64_t i = 0; i < done; ++i) ASSERT_EQ(taken[i], received++);
    ASSERT_EQ(ring.size(), 0u);
    ASSERT_EQ(ring.try_pop_many(taken.data(), 1, done), Status::empty);
    ASSERT_EQ(done, 0u);
  }
  ASSERT_EQ(ring.try_push(sent), Status::ok);
  ASSERT_EQ(ring.try_push(sent + 1), Status::ok);
  ring.close();
  ASSERT_EQ(ring.try_pop_many(taken.data(), 1, done), Status::ok);
  ASSERT_EQ(ring.try_pop_many(taken.data(), 5, done), Status::ok);
  ASSERT_EQ(taken[0], sent + 1);
  EXPECT_EQ(ring.try_pop_many(taken.data(), 5, done), Status::closed);
}

// Each producer's numbers carry its own in the upper half.
TEST(RingBatch, DeliversEachItemOnceAndInOrderAmongThreads) {
  constexpr unsigned sides = 3;
  const auto items = static_cast<std::uint64_t>(test::rounds(20'000));
  for (const std::uint64_t capacity : {1, 3, 64}) {
    SCOPED_TRACE(capacity);
    Ring ring(capacity);
    std::vector<std::vector<std::uint64_t>> got[sides];
    for (auto& consumer : got) consumer.resize(sides);
    std::atomic<unsigned> producing{sides};
    test::together(2 * sides, [&](unsigned thread) {
      std::uint64_t some[64], done;
      test::Backoff backoff;
      if (thread < sides) {
        for (std::uint64_t i = 0; i < items; i += done) {
          const std::uint64_t size = std::min(items - i, i % 64 + 1);
          std::iota(some, some + size, std::uint64_t{thread} << 32 | i);
          if (ring.try_push_many(some, size, done) != Status::ok) backoff.pause();
        }
        if (--producing == 0) ring.close();
        return;
      }
      for (std::uint64_t most = 1;; most = most % 64 + 1) {
        const Status status = ring.try_pop_many(some, most, done);
        if (status == Status::closed) return;
        if (status == Status::empty) backoff.pause();
        for (std::uint64_t i = 0; i < done; ++i) got[thread - sides][some[i] >> 32].push_back(some[i] & UINT32_MAX);
      }
    });
    for (unsigned p = 0; p < sides; ++p) {
      std::vector<std::uint64_t> all;
      for (const auto& consumer : got) {
        EXPECT_TRUE(std::ranges::is_sorted(consumer[p])) << "a producer's order is kept";
        all.insert(all.end(), consumer[p].begin(), consumer[p].end());
      }
      std::ranges::sort(all);
      ASSERT_EQ(all.size(), items);
      for (std::uint64_t i = 0; i < items; ++i) ASSERT_EQ(all[i], i);
    }
  }
}

}  // namespace
}  // namespace xichan::internal
