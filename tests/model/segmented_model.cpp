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

// Two segments are idle. A producer that takes one of them may be stopped while the other thread takes both and puts
// the first one back: the second one is in use and must not be taken again.
struct TakenMeanwhile : Model<TakenMeanwhile, 2>, WithRing<Segmented> {
  static constexpr int others = 100;
  int last = 0;

  void begin() {
    for (int i = 1; i <= 6; ++i) RL_ASSERT(push(i));
    for (int i = 1; i <= 6; ++i) take();
  }
  void thread(unsigned index) {
    if (index == 0) {
      RL_ASSERT(push(others));
      return;
    }
    for (int i = 7; i <= 9; ++i) RL_ASSERT(push(i));
    while (last < 9) take();
    for (int i = 10; i <= 14; ++i) RL_ASSERT(push(i));
  }
  void take() {
    int item;
    while ((item = pop()) == 0) rl::yield(1, $);
    if (item != others) RL_ASSERT(item == ++last);
  }
  void after() {
    while (ring.size() != 0) take();
    RL_ASSERT(last == 14 && pop() == 0);
  }
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
          {"2p1c_boundary", random_search<Boundary<2, 1, false>>, 300'000},
          {"2p1c_boundary_reused", random_search<Boundary<2, 1, true>>, 300'000},
          {"2p1c_boundaries_reused", random_search<Boundary<2, 3, true>>, 200'000},
          {"spare_segment", random_search<Spare>, 100'000},
          {"taken_meanwhile", random_search<TakenMeanwhile>, 200'000},
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
