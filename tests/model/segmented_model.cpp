// Models of src/ring/segmented.h. With two items per segment, segments are linked, retired and reused constantly.
#include "ring_scenarios.h"

// After the checker.
#include "ring/segmented.h"

namespace xichan::internal::model {
namespace {

template <std::uint64_t Segments>
struct Allowance {
  Allowance() { RingMemory::segments_left = Segments; }
};

template <std::uint64_t Segments>
struct Within : Allowance<Segments>, SegmentedRing<int> {
  static constexpr int bound = INT_MAX;
};
using Segmented = Within<UINT64_MAX>;

// Producers link the next segments at the same time, while a consumer leaves the segment before them. If `Reused`, an
// idle segment is used again, by the producer that takes it first, and by none that still has its old link.
template <unsigned Producers, int Items, bool Reused>
struct Boundary : Model<Boundary<Producers, Items, Reused>, Producers + 1>, WithRing<Segmented> {
  static constexpr int first = Reused ? 4 : 1;
  static constexpr int queued = Reused ? 1 : 2;  // up to the end of the segment
  int last[Producers] = {};

  void begin() {
    for (int i = 1; i < first + queued; ++i) RL_ASSERT(this->push(i));
    for (int i = 1; i < first; ++i) RL_ASSERT(this->pop() == i);
  }
  void thread(unsigned index) {
    if (index < Producers) {
      for (int i = 1; i <= Items; ++i) RL_ASSERT(this->push(static_cast<int>(index + 1) * 100 + i));
      return;
    }
    for (int i = 0; i < queued; ++i) RL_ASSERT(this->pop() == first + i);
    for (unsigned i = 0; i < Producers * Items; ++i) {
      int item;
      while ((item = this->pop()) == 0) rl::yield(1, $);
      RL_ASSERT(item % 100 == ++last[item / 100 - 1]);
    }
  }
  void after() { RL_ASSERT(this->ring.size() == 0 && this->pop() == 0); }
};

// Two producers that link segments at the same time need memory for one segment more than they fill: the one that is
// too late keeps its segment for the next time.
struct Spare : Model<Spare, 2>, WithRing<Within<5>> {
  static constexpr int items = 4;  // each

  void begin() {}
  void thread(unsigned) {
    for (int i = 0; i < items; ++i) RL_ASSERT(push(1));
  }
  void after() {
    for (int i = 0; i < 2 * items; ++i) RL_ASSERT(pop() == 1);
    RL_ASSERT(pop() == 0);
  }
};

}  // namespace
}  // namespace xichan::internal::model

int main(int argc, char** argv) {
  using namespace xichan::internal::model;
  return xichan::internal::model::main(
      argc, argv,
      {
          {"1p1c", random_search<OneToOne<Segmented, 3, 3>>, 300'000},
          {"1p1c_three_segments", random_search<ManyToMany<Segmented, 1, 1, 6>>, 300'000},
          {"2p1c", random_search<ManyToMany<Segmented, 2, 1, 3>>, 200'000},
          {"1p2c", random_search<ManyToMany<Segmented, 1, 2, 6>>, 200'000},
          {"2p2c", random_search<ManyToMany<Segmented, 2, 2, 3>>, 200'000},
          {"2p2c_reused", random_search<ManyToMany<Segmented, 2, 2, 6>>, 200'000},
          {"3p1c_reused", random_search<ManyToMany<Segmented, 3, 1, 4>>, 200'000},
          {"2p1c_boundary", random_search<Boundary<2, 1, false>>, 300'000},
          {"2p1c_boundary_reused", random_search<Boundary<2, 1, true>>, 300'000},
          {"2p1c_boundaries_reused", random_search<Boundary<2, 3, true>>, 200'000},
          {"spare_segment", random_search<Spare>, 100'000},
          {"enough_items", random_search<Enough<Segmented, 3, 1>>, 200'000},
          {"close_1p1c", random_search<Closing<Segmented, 1, 1, 3, true>>, 200'000},
          {"close_2p2c", random_search<Closing<Segmented, 2, 2, 3, true>>, 200'000},
          {"size", random_search<Size<Segmented>>, 200'000},
      });
}
