// The rings that the conformance suite runs over. To add one: a struct here, and its name in AllRings.
#pragma once

#include <gtest/gtest.h>

#include "ring/mpmc.h"
#include "ring/ring.h"
#include "value/cell.h"

namespace xichan::test {

struct Mpmc {
  template <class T>
  using Of = MpmcRing<T>;
};

using AllRings = ::testing::Types<Mpmc>;

static_assert(Ring<MpmcRing<Cell>, Cell>);

}  // namespace xichan::test
