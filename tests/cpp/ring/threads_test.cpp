// The promises of every ring among many threads: each item arrives once, whole, and in its producer's order.
#include <algorithm>

#include "ring/ring_flavors.h"
#include "support/support.h"

namespace xichan::internal {
namespace {

struct Item {
  std::uint32_t producer;
  std::uint32_t check;  // so that an item torn between two writers shows
  std::uint64_t number;
};
std::uint32_t check_of(std::uint32_t producer, std::uint64_t number) {
  return static_cast<std::uint32_t>((number + 1) * 0x9e3779b9u) ^ producer;
}

template <class Flavor>
class RingThreads : public ::testing::Test {
 protected:
  using Ring = typename Flavor::template Of<Item>;
};
TYPED_TEST_SUITE(RingThreads, test::AllRings);

std::uint64_t items(unsigned usual) { return static_cast<std::uint64_t>(test::rounds(static_cast<int>(usual))); }

struct Shape {
  unsigned producers, consumers;
  std::uint64_t capacity, items;  // items: of each producer
  bool close_early = false;       // close while producers are at work
};

// The items that each consumer received, per producer in order of arrival, and how many each producer pushed.
struct Outcome {
  std::vector<std::vector<std::vector<std::uint64_t>>> got;
  std::vector<std::uint64_t> accepted;
};

template <class R>
void produce(R& ring, const Shape& shape, std::uint32_t me, std::uint64_t& accepted) {
  for (std::uint64_t i = 0; i < shape.items; ++i) {
    Status status;
    for (test::Backoff backoff; (status = ring.try_push({me, check_of(me, i), i})) == Status::full;) backoff.pause();
    if (status == Status::closed) return;
    ++accepted;
    if (shape.close_early && me == 0 && i == shape.items / 2) ring.close();
  }
}

template <class R>
void consume(R& ring, std::vector<std::vector<std::uint64_t>>& got) {
  Item item;
  test::Backoff backoff;
  for (Status status; (status = ring.try_pop(item)) != Status::closed;) {
    if (status == Status::empty) {
      backoff.pause();
      continue;
    }
    backoff = {};
    ASSERT_LT(item.producer, got.size());
    ASSERT_EQ(item.check, check_of(item.producer, item.number)) << "torn";
    got[item.producer].push_back(item.number);
  }
}

template <class R>
Outcome run(R& ring, const Shape& shape) {
  Outcome outcome{{shape.consumers, std::vector<std::vector<std::uint64_t>>(shape.producers)},
                  std::vector<std::uint64_t>(shape.producers)};
  std::atomic<unsigned> producing{shape.producers};
  test::together(shape.producers + shape.consumers, [&](unsigned thread) {
    if (thread >= shape.producers) return consume(ring, outcome.got[thread - shape.producers]);
    produce(ring, shape, thread, outcome.accepted[thread]);
    if (--producing == 0) ring.close();
  });
  return outcome;
}

void check(const Shape& shape, const Outcome& outcome) {
  for (unsigned p = 0; p < shape.producers; ++p) {
    std::vector<std::uint64_t> all;
    for (const auto& consumer : outcome.got) {
      EXPECT_TRUE(std::is_sorted(consumer[p].begin(), consumer[p].end())) << "a producer's order is kept";
      all.insert(all.end(), consumer[p].begin(), consumer[p].end());
    }
    std::sort(all.begin(), all.end());
    ASSERT_EQ(all.size(), outcome.accepted[p]) << "each item once";
    for (std::uint64_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i], i) << "each item once";
    if (!shape.close_early) {
      EXPECT_EQ(all.size(), shape.items);
    }
  }
}

template <class R>
void run_and_check(const Shape& shape) {
  SCOPED_TRACE(::testing::Message() << shape.producers << " x " << shape.consumers << ", capacity " << shape.capacity);
  R ring(shape.capacity);
  check(shape, run(ring, shape));
  EXPECT_EQ(ring.size(), 0u);
}

TYPED_TEST(RingThreads, DeliversEachItemOnceAndInOrder) {
  const test::Watchdog watchdog("many threads on a ring");
  for (const std::uint64_t capacity : {1, 2, 3, 8, 1000}) {
    for (const unsigned side : {1u, 2u, 4u}) {
      run_and_check<typename TestFixture::Ring>({side, side, capacity, items(10'000 / side)});
    }
  }
}

TYPED_TEST(RingThreads, UnequalSides) {
  const test::Watchdog watchdog("unequal sides");
  for (const std::uint64_t capacity : {1, 4}) {
    run_and_check<typename TestFixture::Ring>({1, 6, capacity, items(6'000)});
    run_and_check<typename TestFixture::Ring>({6, 1, capacity, items(1'000)});
  }
}

TYPED_TEST(RingThreads, OnOneCpu) {
  const test::Watchdog watchdog("many threads on one CPU");
  const test::OneCpu one;
  for (const std::uint64_t capacity : {1, 3, 64}) {
    for (const unsigned side : {1u, 2u, 4u}) {
      run_and_check<typename TestFixture::Ring>({side, side, capacity, items(5'000 / side)});
    }
  }
}

TYPED_TEST(RingThreads, DeliversAcrossCounterWrap) {
  using Under = typename TestFixture::Ring;
  if constexpr (std::is_constructible_v<Under, std::uint64_t, std::uint64_t>) {
    const test::Watchdog watchdog("the wrap of the counters");
    for (int round = 0; round < test::rounds(200); ++round) {
      const Shape shape{2, 2, static_cast<std::uint64_t>(1 + round % 5), 100};
      Under ring(shape.capacity, UINT64_MAX - 100 * shape.capacity);
      check(shape, run(ring, shape));
    }
  }
}

TYPED_TEST(RingThreads, DeliversItemsAcceptedBeforeClose) {
  const test::Watchdog watchdog("close among many threads");
  for (int round = 0; round < test::rounds(300); ++round) {
    const auto capacity = static_cast<std::uint64_t>(1 + round % 7);
    const unsigned side = 2;
    run_and_check<typename TestFixture::Ring>({side, side, capacity, 60, true});
  }
}

TYPED_TEST(RingThreads, SizeNeverExceedsCapacity) {
  if (!TypeParam::bounded) return;
  const test::Watchdog watchdog("size among many threads");
  typename TestFixture::Ring ring(3);
  const Shape shape{1, 1, 3, items(10'000)};
  std::atomic<bool> done{false};
  std::thread observer([&] {
    test::Backoff backoff;
    for (; !done.load(); backoff.pause()) ASSERT_LE(ring.size(), 3u);
  });
  check(shape, run(ring, shape));
  done.store(true);
  observer.join();
}

}  // namespace
}  // namespace xichan::internal
