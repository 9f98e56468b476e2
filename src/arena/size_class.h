// Size classes: blocks of up to 32 KiB are recycled by class; every block of a class fits every request of that class.
//
// Up to 512 bytes there is a class for each multiple of 16, the granularity of block sizes, so nothing is wasted.
// Above, 16 classes divide the range between two powers of two: at most 1/16 is wasted. Every class of 1024 bytes or
// more is a multiple of 64 (B4). Thread safety: pure functions.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace xichan::internal {

inline constexpr std::uint64_t largest_class = 32 * 1024;
inline constexpr unsigned class_count = 128;

/// Returns the class of a block of `bytes` bytes, 1 to `largest_class`.
constexpr unsigned class_of(std::uint64_t bytes) noexcept {
  if (bytes <= 512) return static_cast<unsigned>((bytes - 1) / 16);
  const unsigned shift = static_cast<unsigned>(std::bit_width(bytes - 1)) - 5;  // keeps the top five bits
  return 32 + (shift - 5) * 16 + static_cast<unsigned>((bytes - 1) >> shift) - 16;
}

struct SizeClass {
  std::uint32_t size;    // bytes of each block
  std::uint32_t rounds;  // capacity of a magazine of this class: 128 KiB of blocks, at most 63
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
