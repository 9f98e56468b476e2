// How large a container is with everything in it.
#pragma once

#include <cstdint>

namespace xichan::python {

struct Extent {
  std::uint64_t size;
  std::uint32_t height;
  // True only where a budget limits the time that keys take (foreign.h). Without padding, one store sets all three.
  std::uint16_t has_repeats;  // a container or int inside occurs again
  std::uint16_t leaves_out;   // something that occurs again is counted as one value

  static constexpr Extent unlimited() noexcept { return {UINT64_MAX, UINT32_MAX, false, false}; }
  /// Adds a container inside this one. Sums stop at the largest number.
  void add(const Extent& inner) noexcept {
    if (__builtin_add_overflow(size, inner.size, &size)) size = UINT64_MAX;
    if (inner.height >= height) height = inner.height == UINT32_MAX ? UINT32_MAX : inner.height + 1;
    has_repeats |= inner.has_repeats;
    leaves_out |= inner.leaves_out;
  }
};

}  // namespace xichan::python
