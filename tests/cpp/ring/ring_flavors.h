// The rings that the conformance suite runs over. To add one: a struct here, and its name in AllRings.
//
// The relaxed ring, which holds cells alone and keeps something for each producer, has its tests in ring_all_test.cpp.
#pragma once

#include <gtest/gtest.h>

#include "ring/mpmc.h"
#include "ring/ring.h"
#include "ring/segmented.h"
#include "ring/spsc.h"
#include "value/cell.h"

namespace xichan::test {

using namespace internal;

struct Mpmc {
  static constexpr bool bounded = true;
  static constexpr bool many_to_many = true;  // else one producer and one consumer
  template <class T>
  using Of = MpmcRing<T>;
};

struct Spsc {
  static constexpr bool bounded = true;
  static constexpr bool many_to_many = false;
  template <class T>
  using Of = SpscRing<T>;
};

template <class T>
struct SegmentedOfAnyCapacity : SegmentedRing<T> {
  explicit SegmentedOfAnyCapacity(std::uint64_t) noexcept {}
};

struct Segmented {
  static constexpr bool bounded = false;
  static constexpr bool many_to_many = true;
  template <class T>
  using Of = SegmentedOfAnyCapacity<T>;
};

using AllRings = ::testing::Types<Mpmc, Spsc, Segmented>;

static_assert(Ring<MpmcRing<Cell>, Cell> && Ring<SpscRing<Cell>, Cell> && Ring<SegmentedRing<Cell>, Cell>);

}  // namespace xichan::test
