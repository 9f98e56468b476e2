// Size classes: blocks of up to 32 KiB are recycled by classes, so that one fits wherever one of its class is asked
// for.
//
// Up to 512 bytes a class for each multiple of 16, which is what a block's size is: nothing is wasted. Above, 16
// classes between a power of two and the next: at most 1/16 is. Every class of 1024 bytes or more is a multiple of 64
// (B4). Thread safety: pure functions.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace xichan::internal {

inline constexpr std::uint64_t largest_class = 32 * 1024;
inline constexpr unsigned class_count = 128;

/// The class of a block of `bytes`, from 1 to `largest_class`.
constexpr unsigned class_of(std::uint64_t bytes) noexcept {
  if (bytes <= 512) return static_cast<unsigned>((bytes - 1) / 16);
  const unsigned shift = static_cast<unsigned>(std::bit_width(bytes - 1)) - 5;  // keeps the top bit and four more
  return 32 + (shift - 5) * 16 + static_cast<unsigned>((bytes - 1) >> shift) - 16;
}

struct SizeClass {
  std::uint32_t size;    // bytes of each block
  std::uint32_t rounds;  // blocks that a magazine of this class holds at most: 128 KiB of them, or 63
};

inline constexpr unsigned magazine_rounds = 63;

inline constexpr auto size_classes = [] {
  std::array<SizeClass, class_count> classes{};
  for (unsigned i = 0; i < class_count; ++i) {
    const std::uint32_t size = i < 32 ? (i + 1) * 16 : (i % 16 + 17) << ((i - 32) / 16 + 5);
    classes[i] = {size, std::min<std::uint32_t>(128 * 1024 / size, magazine_rounds)};
  }
  return classes;
}();

static_assert([] {
  std::uint64_t smaller = 0;
  for (unsigned i = 0; i < class_count; ++i) {
    const std::uint64_t size = size_classes[i].size;
    if (class_of(smaller + 1) != i || class_of(size) != i || size % (size < 1024 ? 16 : 64) != 0) return false;
    smaller = size;
  }
  return smaller == largest_class;
}());

}  // namespace xichan::internal
