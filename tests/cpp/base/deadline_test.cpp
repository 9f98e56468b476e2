// Deadlines are never early, and those in the far future never pass.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/deadline.h"

namespace xichan::internal {
namespace {

TEST(Deadline, IsNeverEarly) {
  for (const std::int64_t wait : {0, 1, 999, 1'000, 50'000, 1'000'000, 20'000'000}) {
    const std::int64_t start = Deadline::now();
    const Deadline deadline = Deadline::after(wait);
    while (!deadline.passed()) {
    }
    EXPECT_GT(Deadline::now() - start, wait);
  }
}

TEST(Deadline, InSecondsIsNeverEarlyForFractionsOfNanoseconds) {
  for (const double seconds : {1e-9 / 3, 1.5e-9, 1e-7 / 3, 0.1 / 3e3, 0.0015}) {
    const double start = static_cast<double>(Deadline::now());
    const Deadline deadline = Deadline::in_seconds(seconds);
    EXPECT_GE(static_cast<double>(deadline.nanoseconds()) - start, std::floor(seconds * 1e9));
    while (!deadline.passed()) {
    }
    EXPECT_GE(static_cast<double>(Deadline::now()) - start, seconds * 1e9);
  }
}

TEST(Deadline, PassesAtExactNanosecond) {
  EXPECT_TRUE(Deadline::at(Deadline::now()).passed());
  EXPECT_TRUE(Deadline::at(0).passed());
  EXPECT_FALSE(Deadline::at(Deadline::now() + 3'600'000'000'000).passed());
}

TEST(Deadline, FarFutureIsNever) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double seconds : {infinity, 1e300, 1.7e308, 9.3e9, 9.22e9}) {
    EXPECT_TRUE(Deadline::in_seconds(seconds).is_never()) << seconds;
    EXPECT_FALSE(Deadline::in_seconds(seconds).passed()) << seconds;
  }
  EXPECT_FALSE(Deadline::in_seconds(9e9).passed());  // 285 years
}

TEST(Deadline, OverflowingSumsAreNever) {
  for (const std::int64_t wait : {INT64_MAX, INT64_MAX - 1, INT64_MAX - 2, INT64_MAX - 1'000}) {
    EXPECT_TRUE(Deadline::after(wait).is_never()) << wait;
  }
}

TEST(Deadline, NeverDoesNotPass) {
  EXPECT_TRUE(Deadline::never().is_never());
  EXPECT_FALSE(Deadline::never().passed());
  EXPECT_EQ(Deadline::never(), Deadline::at(INT64_MAX));
}

TEST(Deadline, EarlierReturnsEarlierDeadline) {
  const Deadline soon = Deadline::at(5);
  const Deadline late = Deadline::at(6);
  EXPECT_EQ(earlier(soon, late), soon);
  EXPECT_EQ(earlier(late, soon), soon);
  EXPECT_EQ(earlier(late, Deadline::never()), late);
  EXPECT_TRUE(earlier(Deadline::never(), Deadline::never()).is_never());
}

TEST(Deadline, ClockIsMonotonic) {
  std::int64_t last = Deadline::now();
  for (int i = 0; i < 100'000; ++i) {
    const std::int64_t now = Deadline::now();
    ASSERT_GE(now, last);
    last = now;
  }
}

}  // namespace
}  // namespace xichan::internal
