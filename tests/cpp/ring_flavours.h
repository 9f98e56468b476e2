// The rings that the conformance suite runs over. To add one: a struct here, and its name in AllRings.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "ring/mpmc.h"
#include "ring/ring.h"
#include "value/cell.h"

namespace xichan::test {

struct Mpmc {
  static constexpr const char* name = "mpmc";
  template <class T>
  using Of = MpmcRing<T>;
};

using AllRings = ::testing::Types<Mpmc>;

struct RingNames {
  template <class Flavour>
  static std::string GetName(int) {
    return Flavour::name;
  }
};

static_assert(Ring<MpmcRing<Cell>, Cell>);

}  // namespace xichan::test
