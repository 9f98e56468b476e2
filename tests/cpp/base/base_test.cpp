// CheckedSize, Worklist, failures on purpose, random_bits, and the phrases of Status.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/checked.h"
#include "base/content_map.h"
#include "base/failure.h"
#include "base/random.h"
#include "base/worklist.h"
#include "xichan/status.h"

namespace xichan::internal {
namespace {

TEST(CheckedSize, AddsMultipliesAndAligns) {
  CheckedSize size(32);
  size.add(8).add_product(3, 16).align(64);
  EXPECT_FALSE(size.overflowed());
  EXPECT_EQ(size.value(), 128u);
}

TEST(CheckedSize, AlignKeepsAlignedSizes) {
  for (std::uint64_t n = 0; n <= 64; ++n) {
    EXPECT_EQ(CheckedSize(n).align(16).value(), (n + 15) / 16 * 16) << n;
    EXPECT_EQ(align_up(n, 16), (n + 15) / 16 * 16) << n;
  }
}

TEST(CheckedSize, RecordsOverflowInAnyStep) {
  EXPECT_TRUE(CheckedSize(UINT64_MAX).add(1).overflowed());
  EXPECT_TRUE(CheckedSize(0).add_product(std::uint64_t{1} << 32, std::uint64_t{1} << 32).overflowed());
  EXPECT_TRUE(CheckedSize(1).add_product(UINT64_MAX, 1).overflowed());
  EXPECT_TRUE(CheckedSize(UINT64_MAX - 14).align(16).overflowed());
  EXPECT_FALSE(CheckedSize(UINT64_MAX - 15).align(16).overflowed());
  EXPECT_FALSE(CheckedSize(0).add(UINT64_MAX).overflowed());
  EXPECT_TRUE(CheckedSize(UINT64_MAX).add(1).add(5).overflowed()) << "a later step must not clear the overflow";
}

TEST(Worklist, PopsLastPushedFirst) {
  Worklist<int, 4> list;
  EXPECT_TRUE(list.empty());
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(list.push(i));
  EXPECT_EQ(list.size(), 4u);
  for (int i = 3; i >= 0; --i) EXPECT_EQ(list.pop(), i);
  EXPECT_TRUE(list.empty());
}

template <class List>
void grow_and_check(int count) {
  List list;
  for (int i = 0; i < count; ++i) ASSERT_TRUE(list.push(i));
  ASSERT_EQ(list.size(), static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) ASSERT_EQ(list[i], i);
  for (int i = count; i-- > 0;) ASSERT_EQ(list.pop(), i);
  EXPECT_TRUE(list.empty());
}

TEST(Worklist, GrowsPastInlineItemsAndKeepsThem) {
  for (const int count : {1, 31, 32, 33, 64, 65, 1'000, 1'000'000}) grow_and_check<Worklist<int>>(count);
  for (const int count : {1, 2, 3, 100}) grow_and_check<Worklist<int, 1>>(count);
}

TEST(Worklist, RemoveFirstKeepsOrderOfRest) {
  Worklist<int, 2> list;
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(list.push(i));
  for (int i = 0; i < 25; ++i) EXPECT_EQ(list.remove_first(), i);
  EXPECT_EQ(list.size(), 25u);
  EXPECT_EQ(list[0], 25);
  EXPECT_EQ(list.pop(), 49);
}

TEST(Failure, InjectedFailureReachesListsAndMaps) {
  Worklist<int> list;
  ContentMap<int> map;
  fail_countdown.store(0, std::memory_order_relaxed);
  for (int i = 0; i < 32; ++i) EXPECT_TRUE(list.push(i)) << "needs no allocation";
  EXPECT_FALSE(list.push(32));
  EXPECT_EQ(map.insert({&list, 0}), nullptr);
  fail_countdown.store(1, std::memory_order_relaxed);
  EXPECT_TRUE(list.push(32));
  EXPECT_EQ(map.insert({&list, 0}), nullptr);
  fail_countdown.store(-1, std::memory_order_relaxed);
  EXPECT_NE(map.insert({&list, 0}), nullptr);
  EXPECT_EQ(list.size(), 33u);
}

TEST(Random, EveryBitVaries) {
  std::uint64_t ones = 0;
  std::uint64_t zeros = 0;
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 128; ++i) {
    const std::uint64_t bits = random_bits();
    ones |= bits;
    zeros |= ~bits;
    seen.insert(bits);
  }
  EXPECT_EQ(ones, UINT64_MAX);
  EXPECT_EQ(zeros, UINT64_MAX);
  EXPECT_EQ(seen.size(), 128u);
}

TEST(Status, EveryStatusHasPhrase) {
  std::set<std::string> phrases;
  const int last = static_cast<int>(Status::unconfirmed);
  for (int i = 0; i <= last; ++i) phrases.emplace(to_string(static_cast<Status>(i)));
  EXPECT_EQ(phrases.size(), static_cast<std::size_t>(last + 1));
  EXPECT_FALSE(phrases.contains("unknown status"));
  EXPECT_EQ(to_string(static_cast<Status>(200)), "unknown status");
}

}  // namespace
}  // namespace xichan::internal
