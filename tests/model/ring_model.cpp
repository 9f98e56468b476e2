// Models of src/ring/mpmc.h.
#include "ring_scenarios.h"

// After the checker.
#include "ring/mpmc.h"

namespace xichan::internal::model {
namespace {

constexpr std::uint64_t near_wrap = UINT64_MAX;  // the last lap: the next push or pop wraps the counters

template <std::uint64_t Capacity, std::uint64_t FirstLap = 0>
struct Mpmc : MpmcRing<int> {
  static constexpr int bound = Capacity;
  Mpmc() : MpmcRing(Capacity, FirstLap) {}
};

// Odd items have a line, which holds the same number.
template <std::uint64_t Capacity, std::uint64_t FirstLap = 0>
struct Lined : MpmcRing<int> {
  static constexpr int bound = Capacity;
  Lined() : MpmcRing(Capacity, FirstLap) {}
  Status try_push(int item) { return item % 2 == 0 ? MpmcRing::try_push(item) : MpmcRing::try_push(item, item); }
  Status try_pop(int& item) {
    int line = 0;
    const Status status = MpmcRing::try_pop(item, line);
    RL_ASSERT(status != Status::ok || line == (item % 2 == 0 ? 0 : item));
    return status;
  }
};

}  // namespace
}  // namespace xichan::internal::model

int main(int argc, char** argv) {
  using namespace xichan::internal::model;
  return xichan::internal::model::main(
      argc, argv,
      {
          {"1p1c_capacity_1", full_search<OneToOne<Mpmc<1>, 2, 2>>, 1'000'000},
          {"1p1c_capacity_2", full_search<OneToOne<Mpmc<2>, 3, 1>>, 100'000},
          {"1p1c_near_wrap", full_search<OneToOne<Mpmc<1, near_wrap>, 2, 2>>, 1'000'000},
          {"1p1c_capacity_3", random_search<ManyToMany<Mpmc<3>, 1, 1, 6>>, 500'000},
          {"2p2c_capacity_1", random_search<ManyToMany<Mpmc<1>, 2, 2, 2>>, 300'000},
          {"2p2c_capacity_2", random_search<ManyToMany<Mpmc<2>, 2, 2, 2>>, 300'000},
          {"2p2c_capacity_3", random_search<ManyToMany<Mpmc<3>, 2, 2, 3>>, 300'000},
          {"2p2c_near_wrap", random_search<ManyToMany<Mpmc<1, near_wrap>, 2, 2, 2>>, 300'000},
          {"2p2c_near_wrap_2", random_search<ManyToMany<Mpmc<2, near_wrap>, 2, 2, 3>>, 300'000},
          {"enough_items", full_search<Enough<Mpmc<2>, 2, 0>>, 100},
          {"enough_places", full_search<Enough<Mpmc<2>, 0, 2>>, 100},
          {"enough_of_both", random_search<Enough<Mpmc<4>, 2, 2>>, 200'000},
          {"close_push_pop", full_search<Closing<Mpmc<1>, 1, 1, 1, false>>, 100'000},
          {"close_1p1c", random_search<Closing<Mpmc<1>, 1, 1, 2, true>>, 300'000},
          {"close_2p2c", random_search<Closing<Mpmc<2>, 2, 2, 2, true>>, 300'000},
          {"lines_1p1c_capacity_1", random_search<OneToOne<Lined<1>, 2, 2>>, 300'000},
          {"lines_1p1c_capacity_3", random_search<ManyToMany<Lined<3>, 1, 1, 6>>, 300'000},
          {"lines_2p2c_capacity_1", random_search<ManyToMany<Lined<1>, 2, 2, 2>>, 200'000},
          {"lines_2p2c_capacity_2", random_search<ManyToMany<Lined<2>, 2, 2, 3>>, 300'000},
          {"lines_2p2c_near_wrap", random_search<ManyToMany<Lined<2, near_wrap>, 2, 2, 3>>, 200'000},
          {"lines_enough_of_both", random_search<Enough<Lined<4>, 2, 2>>, 200'000},
          {"lines_close_2p2c", random_search<Closing<Lined<2>, 2, 2, 2, true>>, 200'000},
          {"size", random_search<Size<Mpmc<1>>>, 500'000},
          {"size_2", random_search<Size<Mpmc<2>>>, 500'000},
      });
}
