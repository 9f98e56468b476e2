// Models of src/ring/segmented.h. With two items per segment, segments are linked, retired and reused constantly.
#include "ring_scenarios.h"

// After the checker.
#include "ring/segmented.h"

namespace xichan::internal::model {
namespace {

struct Segmented : SegmentedRing<int> {
  static constexpr int bound = INT_MAX;
};

// As ManyToMany, with consumers that take batches, except the last of several. Batches span segments.
template <unsigned Producers, unsigned Consumers, int Items, int Batch>
struct Batches : Model<Batches<Producers, Consumers, Items, Batch>, Producers + Consumers>, WithRing<Segmented> {
  int last[Consumers][Producers] = {};
  int taken = 0;

  void begin() {}
  void thread(unsigned index) {
    if (index < Producers) {
      for (int i = 1; i <= Items; ++i) RL_ASSERT(push(static_cast<int>(index) * 100 + i));
      return;
    }
    const std::uint64_t most = Consumers > 1 && index == Producers + Consumers - 1 ? 1 : Batch;
    constexpr std::uint64_t share = Producers * Items / Consumers;
    for (std::uint64_t left = share, done; left != 0; left -= done) {
      int items[Batch];
      const std::uint64_t wanted = std::min(left, most);
      if (most == 1) {
        while (ring.try_pop(items[0]) != Status::ok) rl::yield(1, $);
        done = 1;
      } else {
        while (ring.try_pop_many(items, wanted, done) != Status::ok) rl::yield(1, $);
      }
      RL_ASSERT(done >= 1 && done <= wanted);
      for (std::uint64_t i = 0; i < done; ++i, ++taken) {
        int& previous = last[index - Producers][items[i] / 100];
        RL_ASSERT(items[i] % 100 > previous);
        if (Producers == 1) RL_ASSERT(items[i] == items[0] + static_cast<int>(i));
        previous = items[i] % 100;
      }
    }
  }
  void after() {
    RL_ASSERT(taken == static_cast<int>(Producers) * Items);
    RL_ASSERT(ring.size() == 0 && pop() == 0);
  }
};

// One claim takes all that is queued but for what others have taken first, which precedes it.
struct OneStep : Model<OneStep, 3>, WithRing<Segmented> {
  static constexpr int queued = 7;
  int taken = 0;

  void begin() {
    for (int i = 1; i <= queued; ++i) RL_ASSERT(push(i));
  }
  void thread(unsigned index) {
    if (index == 0) {
      int items[queued];
      std::uint64_t done;
      RL_ASSERT(ring.try_pop_many(items, queued, done) == Status::ok);
      RL_ASSERT(items[0] <= 3 && done == static_cast<std::uint64_t>(queued + 1 - items[0]));
      for (std::uint64_t i = 0; i < done; ++i) RL_ASSERT(items[i] == items[0] + static_cast<int>(i));
      taken += static_cast<int>(done);
    } else {
      taken += pop() != 0;
    }
  }
  void after() {
    RL_ASSERT(taken == queued && ring.size() == 0 && pop() == 0);
    RL_ASSERT(push(8) && pop() == 8);
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
          {"enough_items", random_search<Enough<Segmented, 3, 1>>, 200'000},
          {"close_1p1c", random_search<Closing<Segmented, 1, 1, 3, true>>, 200'000},
          {"close_2p2c", random_search<Closing<Segmented, 2, 2, 3, true>>, 200'000},
          {"size", random_search<Size<Segmented>>, 200'000},
          {"batches_1p1c", random_search<Batches<1, 1, 7, 5>>, 200'000},
          {"batches_1p2c", random_search<Batches<1, 2, 8, 4>>, 200'000},
          {"batches_2p2c", random_search<Batches<2, 2, 4, 4>>, 200'000},
          {"batches_1p3c", random_search<Batches<1, 3, 9, 3>>, 200'000},
          {"one_step", random_search<OneStep>, 200'000},
      });
}
