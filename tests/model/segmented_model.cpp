// Models of src/ring/segmented.h. With two items per segment, segments are linked, retired and reused constantly.
#include "ring_scenarios.h"

// After the checker.
#include "ring/segmented.h"

namespace xichan::internal::model {
namespace {

struct Segmented : SegmentedRing<int> {
  static constexpr int bound = INT_MAX;
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
          {"enough_items", random_search<Enough<Segmented, 3, 1>>, 200'000},
          {"close_1p1c", random_search<Closing<Segmented, 1, 1, 3, true>>, 200'000},
          {"close_2p2c", random_search<Closing<Segmented, 2, 2, 3, true>>, 200'000},
          {"size", random_search<Size<Segmented>>, 200'000},
      });
}
