// The promises of both rings with cells.
#include <map>
#include <vector>

#include "ring/ring_flavors.h"
#include "ring/segmented.h"
#include "support/support.h"
#include "value/cell.h"

namespace xichan::internal {
namespace {

using Mpmc = test::Mpmc::Of<Cell>;
using Segmented = test::Segmented::Of<Cell>;

template <class R, bool HasBound>
struct Flavor {
  using Type = R;
  static constexpr bool bounded = HasBound;
};
using Flavors = ::testing::Types<Flavor<Mpmc, true>, Flavor<Segmented, false>>;

template <class F>
class AnyRingTest : public ::testing::Test {};
TYPED_TEST_SUITE(AnyRingTest, Flavors);

TYPED_TEST(AnyRingTest, ExactCapacityFirstInFirstOut) {
  for (const std::uint64_t capacity : {1, 2, 3, 7, 8, 1000}) {
    typename TypeParam::Type ring(capacity);
    ASSERT_TRUE(ring.valid());
    Cell cell;
    for (int round = 0; round < 5; ++round) {
      EXPECT_EQ(ring.try_pop(cell), Status::empty);
      EXPECT_FALSE(ring.can_pop());
      for (std::uint64_t i = 0; i < capacity; ++i) {
        EXPECT_TRUE(ring.can_push());
        ASSERT_EQ(ring.try_push(Cell::integer(static_cast<std::int64_t>(i))), Status::ok);
        EXPECT_EQ(ring.size(), i + 1);
      }
      if (TypeParam::bounded) {
        EXPECT_FALSE(ring.can_push());
        EXPECT_EQ(ring.try_push(Cell::none()), Status::full);
      }
      for (std::uint64_t i = 0; i < capacity; ++i) {
        ASSERT_EQ(ring.try_pop(cell), Status::ok);
        EXPECT_EQ(cell.as_integer(), static_cast<std::int64_t>(i));
      }
    }
    EXPECT_EQ(ring.pushed(), 5 * capacity);
  }
}

TYPED_TEST(AnyRingTest, CloseRefusesPushesAndKeepsQueuedItems) {
  typename TypeParam::Type ring(4);
  ASSERT_EQ(ring.try_push(Cell::integer(1)), Status::ok);
  ring.close();
  ring.close();
  EXPECT_TRUE(ring.is_closed());
  EXPECT_FALSE(ring.can_push());
  EXPECT_EQ(ring.try_push(Cell::none()), Status::closed);
  Cell cell;
  ASSERT_EQ(ring.try_pop(cell), Status::ok);
  EXPECT_EQ(cell.as_integer(), 1);
  EXPECT_EQ(ring.try_pop(cell), Status::closed);
}

// Producers number their items; each consumer sees the items of one producer in order, and all arrive once.
template <class F>
void run_threads(std::uint64_t capacity, unsigned producers, unsigned consumers, int items) {
  const test::Watchdog watchdog("rings of all flavors");
  typename F::Type ring(capacity);
  std::atomic<unsigned> left{producers};
  std::vector<std::map<std::int64_t, std::int64_t>> last(consumers);
  std::vector<std::int64_t> sums(consumers);
  test::together(producers + consumers, [&](unsigned thread) {
    if (thread < producers) {
      for (std::int64_t i = 1; i <= items; ++i) {
        test::await([&] { return ring.try_push(Cell::integer(std::int64_t{thread} << 40 | i)) == Status::ok; });
      }
      if (--left == 0) ring.close();
      return;
    }
    const unsigned me = thread - producers;
    Cell cell;
    test::Backoff backoff;
    for (Status status; (status = ring.try_pop(cell)) != Status::closed;) {
      if (status != Status::ok) {
        backoff.pause();
        continue;
      }
      backoff = {};
      const std::int64_t producer = cell.as_integer() >> 40;
      const std::int64_t number = cell.as_integer() & ((std::int64_t{1} << 40) - 1);
      EXPECT_LT(last[me][producer], number);
      last[me][producer] = number;
      sums[me] += number;
    }
  });
  std::int64_t sum = 0;
  for (const std::int64_t part : sums) sum += part;
  EXPECT_EQ(sum, std::int64_t{producers} * items * (items + 1) / 2);
  EXPECT_EQ(ring.size(), 0u);
}

TYPED_TEST(AnyRingTest, OneProducerAndConsumerLoseNoItem) {
  for (const std::uint64_t capacity : {1, 2, 64}) run_threads<TypeParam>(capacity, 1, 1, test::rounds(20'000));
}

TYPED_TEST(AnyRingTest, ManyProducersAndConsumersLoseNoItem) {
  for (const std::uint64_t capacity : {1, 3, 64}) run_threads<TypeParam>(capacity, 4, 4, test::rounds(5'000));
}

// Segments are reused, and a burst does not stay in memory (see SegmentedRing::recycle).
TEST(SegmentedRing, ReusesSegmentsInOrder) {
  Segmented ring(0);
  Cell cell;
  std::int64_t next = 0, expected = 0;
  for (const int burst : {1, 5'000, 100'000, 3, 50'000}) {
    for (int i = 0; i < burst; ++i) ASSERT_EQ(ring.try_push(Cell::integer(next++)), Status::ok);
    EXPECT_EQ(ring.size(), static_cast<std::uint64_t>(burst));
    for (int i = 0; i < burst; ++i) {
      ASSERT_EQ(ring.try_pop(cell), Status::ok);
      ASSERT_EQ(cell.as_integer(), expected++);
    }
    EXPECT_EQ(ring.try_pop(cell), Status::empty);
  }
}

}  // namespace
}  // namespace xichan::internal
