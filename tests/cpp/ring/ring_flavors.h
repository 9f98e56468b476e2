// The rings that the conformance suite runs over. Each needs a struct here and its name in AllRings.
#pragma once

#include <gtest/gtest.h>

#include "ring/mpmc.h"
#include "ring/ring.h"
#include "ring/segmented.h"

namespace xichan::test {

using namespace internal;

struct Mpmc {
  static constexpr bool bounded = true;
  template <class T>
  using Of = MpmcRing<T>;
};

template <class T>
struct SegmentedOfAnyCapacity : SegmentedRing<T> {
  explicit SegmentedOfAnyCapacity(std::uint64_t) noexcept {}
};

struct Segmented {
  static constexpr bool bounded = false;
  template <class T>
  using Of = SegmentedOfAnyCapacity<T>;
};

using AllRings = ::testing::Types<Mpmc, Segmented>;

}  // namespace xichan::test
