#include "base/large_copy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

namespace xichan::internal {
namespace {

constexpr std::size_t margin = 128;

std::vector<unsigned char> numbered(std::size_t size) {
  std::vector<unsigned char> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<unsigned char>(i * 131 + i / 251);
  return bytes;
}

void expect_copied(std::size_t size, std::size_t from, std::size_t to) {
  static const std::vector<unsigned char> source = numbered(smallest_streamed + 2 * margin);
  static std::vector<unsigned char> target(source.size() + margin);
  std::fill(target.begin(), target.end(), 0xa5);
  copy_payload(&target[to], &source[from], size);
  const auto is_untouched = [](unsigned char byte) { return byte == 0xa5; };
  EXPECT_EQ(std::memcmp(&target[to], &source[from], size), 0) << size << " " << from << " " << to;
  EXPECT_TRUE(std::all_of(target.begin(), target.begin() + static_cast<std::ptrdiff_t>(to), is_untouched));
  EXPECT_TRUE(std::all_of(target.begin() + static_cast<std::ptrdiff_t>(to + size), target.end(), is_untouched));
}

TEST(CopyPayload, CopiesExactlyTheRangeForEverySizeAroundTheThreshold) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{63}, std::size_t{5000}}) {
    expect_copied(size, 3, 5);
  }
  for (std::size_t size = smallest_streamed - 1; size <= smallest_streamed + 66; size += 11) expect_copied(size, 1, 2);
}

TEST(CopyPayload, CopiesBetweenAllAlignments) {
  for (std::size_t to = 0; to < 64; to += 7) expect_copied(smallest_streamed + 64, 32, 64 + to);
  for (std::size_t from = 0; from < 16; from += 3) expect_copied(smallest_streamed + 1, from, 48);
}

TEST(CopyPayload, CopiesNothingFromNull) { copy_payload(nullptr, nullptr, 0); }

}  // namespace
}  // namespace xichan::internal
