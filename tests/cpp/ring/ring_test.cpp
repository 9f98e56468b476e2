// The promises of every ring, with one thread: exact capacity, strict order, exact status, also where counters wrap.
#include <type_traits>

#include "ring/ring_flavors.h"
#include "support/support.h"

namespace xichan::internal {
namespace {

constexpr std::uint64_t capacities[] = {1, 2, 3, 4, 5, 7, 8, 9, 1000};

template <class Flavor>
class RingTest : public ::testing::Test {
 protected:
  using Ring = typename Flavor::template Of<std::uint64_t>;
};
TYPED_TEST_SUITE(RingTest, test::AllRings);

template <class R>
void push(R& ring, std::uint64_t item) {
  ASSERT_EQ(ring.try_push(item), Status::ok) << item;
}

template <class R>
void pop(R& ring, std::uint64_t expected) {
  std::uint64_t item = ~expected;
  ASSERT_EQ(ring.try_pop(item), Status::ok) << expected;
  ASSERT_EQ(item, expected);
}

TYPED_TEST(RingTest, HoldsExactlyItsCapacity) {
  for (const std::uint64_t capacity : capacities) {
    typename TestFixture::Ring ring(capacity);
    ASSERT_TRUE(ring.valid());
    if (TypeParam::bounded) {
      EXPECT_EQ(ring.capacity(), capacity);
    }
    for (int lap = 0; lap < 3; ++lap) {
      for (std::uint64_t i = 0; i < capacity; ++i) {
        EXPECT_TRUE(ring.can_push());
        EXPECT_EQ(ring.size(), i);
        push(ring, i);
      }
      EXPECT_EQ(ring.size(), capacity);
      if (TypeParam::bounded) {
        EXPECT_FALSE(ring.can_push());
        EXPECT_EQ(ring.try_push(99), Status::full);
        EXPECT_EQ(ring.try_push(99), Status::full);
      }
      for (std::uint64_t i = 0; i < capacity; ++i) {
        EXPECT_TRUE(ring.can_pop());
        pop(ring, i);
      }
      std::uint64_t item = 7;
      EXPECT_FALSE(ring.can_pop());
      EXPECT_EQ(ring.try_pop(item), Status::empty);
      EXPECT_EQ(item, 7u) << "a failed pop leaves the item unchanged";
      EXPECT_EQ(ring.size(), 0u);
    }
  }
}

TYPED_TEST(RingTest, FirstInFirstOutAtEveryFill) {
  for (const std::uint64_t capacity : capacities) {
    for (std::uint64_t fill = 1; fill <= capacity; fill += capacity / 9 + 1) {
      typename TestFixture::Ring ring(capacity);
      std::uint64_t in = 0;
      std::uint64_t out = 0;
      while (in < fill) push(ring, in++);
      for (std::uint64_t step = 0; step < 5 * capacity; ++step) {
        pop(ring, out++);
        push(ring, in++);
        ASSERT_EQ(ring.size(), fill);
      }
      while (out < in) pop(ring, out++);
    }
  }
}

TYPED_TEST(RingTest, AlternatesPushAndPopWithOneFreeSlot) {
  if (!TypeParam::bounded) return;
  for (const std::uint64_t capacity : capacities) {
    typename TestFixture::Ring ring(capacity);
    for (std::uint64_t i = 0; i < capacity; ++i) push(ring, i);
    for (std::uint64_t i = 0; i < 3 * capacity; ++i) {
      ASSERT_EQ(ring.try_push(0), Status::full);
      pop(ring, i);
      push(ring, i + capacity);
    }
  }
}

TYPED_TEST(RingTest, CloseRefusesPushesAndKeepsQueuedItems) {
  for (const std::uint64_t capacity : capacities) {
    for (std::uint64_t queued = 0; queued <= capacity; queued += capacity / 5 + 1) {
      for (const std::uint64_t start : {std::uint64_t{0}, capacity - 1}) {
        typename TestFixture::Ring ring(capacity);
        for (std::uint64_t i = 0; i < start; ++i) {
          push(ring, i);
          pop(ring, i);
        }
        for (std::uint64_t i = 0; i < queued; ++i) push(ring, i);
        EXPECT_FALSE(ring.is_closed());
        ring.close();
        ring.close();
        EXPECT_TRUE(ring.is_closed());
        EXPECT_FALSE(ring.can_push());
        EXPECT_EQ(ring.size(), queued);
        EXPECT_EQ(ring.try_push(1), Status::closed) << "closed, also when full";
        for (std::uint64_t i = 0; i < queued; ++i) pop(ring, i);
        std::uint64_t item;
        EXPECT_EQ(ring.try_pop(item), Status::closed);
        EXPECT_EQ(ring.try_pop(item), Status::closed);
        EXPECT_FALSE(ring.can_pop());
        EXPECT_EQ(ring.try_push(1), Status::closed);
        EXPECT_EQ(ring.size(), 0u);
      }
    }
  }
}

TYPED_TEST(RingTest, CountersWrapWithoutLosingItems) {
  using Under = typename TestFixture::Ring;
  if constexpr (std::is_constructible_v<Under, std::uint64_t, std::uint64_t>) {
    for (const std::uint64_t capacity : capacities) {
      for (const std::uint64_t below : {std::uint64_t{0}, 2 * capacity, 5 * capacity, 9 * capacity + 3}) {
        Under ring(capacity, UINT64_MAX - below);
        std::uint64_t in = 0;
        std::uint64_t out = 0;
        for (std::uint64_t step = 0; step < 12 * capacity; ++step) {
          ASSERT_EQ(ring.size(), in - out) << "capacity " << capacity << ", step " << step;
          if (step % (capacity + 1) == 0) {
            while (out < in) pop(ring, out++);
            std::uint64_t item;
            ASSERT_EQ(ring.try_pop(item), Status::empty);
            while (in - out < capacity) push(ring, in++);
            ASSERT_EQ(ring.size(), capacity);
            ASSERT_EQ(ring.try_push(0), Status::full);
          } else {
            pop(ring, out++);
            if (step % 2 == 0) push(ring, in++);
          }
        }
        ring.close();
        ASSERT_EQ(ring.try_push(0), Status::closed);
        ASSERT_EQ(ring.size(), in - out);
        while (out < in) pop(ring, out++);
        std::uint64_t item;
        ASSERT_EQ(ring.try_pop(item), Status::closed);
      }
    }
  }
}

TYPED_TEST(RingTest, LargeRingUsesNoMemoryUntilUsed) {
  typename TestFixture::Ring ring(std::uint64_t{1} << 24);
  ASSERT_TRUE(ring.valid());
  for (std::uint64_t i = 0; i < 100'000; ++i) push(ring, i);
  for (std::uint64_t i = 0; i < 100'000; ++i) pop(ring, i);
}

TYPED_TEST(RingTest, IsInvalidWithoutMemory) {
  if (!TypeParam::bounded) GTEST_SKIP() << "takes its memory as it goes";
  typename TestFixture::Ring ring(std::uint64_t{1} << 58);  // more slots than addresses
  EXPECT_FALSE(ring.valid());
}

}  // namespace
}  // namespace xichan::internal
