// The rings that the conformance suite runs over. Each needs a struct here and its name in AllRings.
//
// The relaxed ring holds only cells and keeps a token per producer; all_test.cpp covers it.
#pragma once

#include <gtest/gtest.h>

#include "ring/mpmc.h"
#include "ring/ring.h"
#include "ring/segmented.h"
#include "ring/spsc.h"

namespace xichan::test {

using namespace internal;

/// A ring with one lane for all pushes. For rings that ignore the lane.
template <class R, class T>
class WithLane : public R {
 public:
  using R::R;
  Status try_push(const T& item) noexcept { return R::try_push(item, lane_); }

 private:
  Lane lane_;
};

struct Mpmc {
  static constexpr bool bounded = true;
  static constexpr bool many_to_many = true;  // else one producer and one consumer
  template <class T>
  using Of = WithLane<MpmcRing<T>, T>;
};

struct Spsc {
  static constexpr bool bounded = true;
  static constexpr bool many_to_many = false;
  template <class T>
  using Of = WithLane<SpscRing<T>, T>;
};

template <class T>
struct SegmentedOfAnyCapacity : WithLane<SegmentedRing<T>, T> {
  explicit SegmentedOfAnyCapacity(std::uint64_t) noexcept {}
};

struct Segmented {
  static constexpr bool bounded = false;
  static constexpr bool many_to_many = true;
  template <class T>
  using Of = SegmentedOfAnyCapacity<T>;
};

using AllRings = ::testing::Types<Mpmc, Spsc, Segmented>;

}  // namespace xichan::test
