// Models of src/ring/mpmc.h: each item is taken once, in order, and never read or written by two threads at a time.
#include "model.h"

#include "ring/mpmc.h"

namespace xichan::model {
namespace {

constexpr std::uint64_t near_wrap = UINT64_MAX;  // the last lap: the next push or pop wraps the counters

// A ring in place, with the numbers that were taken out of it.
template <std::uint64_t Capacity, std::uint64_t FirstLap = 0>
struct WithRing {
  MpmcRing<int> ring{Capacity, FirstLap};

  bool push(int item) { return ring.try_push(item) == Status::ok; }
  int pop() {
    int item = 0;
    const Status status = ring.try_pop(item);
    return status == Status::ok ? item : status == Status::closed ? -1 : 0;
  }
};

// One producer and one consumer that try a few times and give up: searched fully.
template <std::uint64_t Capacity, int Pushes, int Pops, std::uint64_t FirstLap = 0>
struct OneToOne : Model<OneToOne<Capacity, Pushes, Pops, FirstLap>, 2>, WithRing<Capacity, FirstLap> {
  int pushed = 0;
  int popped = 0;

  void begin() {}
  void thread(unsigned index) {
    if (index == 0) {
      for (int i = 0; i < Pushes; ++i) {
        const bool accepted = this->push(pushed + 1);
        RL_ASSERT(accepted || i >= static_cast<int>(Capacity));
        pushed += accepted;
      }
    } else {
      for (int i = 0; i < Pops; ++i) take();
    }
  }
  void after() {
    RL_ASSERT(this->ring.size() == static_cast<std::uint64_t>(pushed - popped));
    while (popped < pushed) RL_ASSERT(take());
    RL_ASSERT(!take());
  }
  bool take() {
    const int item = this->pop();
    if (item == 0) return false;
    RL_ASSERT(item == ++popped);
    return true;
  }
};

// Producers and consumers that go on until all is through. Items are numbered per producer: producer * 100 + i.
template <unsigned Producers, unsigned Consumers, std::uint64_t Capacity, int Items, std::uint64_t FirstLap = 0>
struct ManyToMany : Model<ManyToMany<Producers, Consumers, Capacity, Items, FirstLap>, Producers + Consumers>,
                    WithRing<Capacity, FirstLap> {
  int last[Consumers][Producers] = {};
  int sum = 0;
  int taken = 0;

  void begin() {}
  void thread(unsigned index) {
    if (index < Producers) {
      for (int i = 1; i <= Items; ++i) {
        while (!this->push(static_cast<int>(index) * 100 + i)) rl::yield(1, $);
      }
      return;
    }
    constexpr int share = Producers * Items / Consumers;
    for (int i = 0; i < share; ++i) {
      int item;
      while ((item = this->pop()) == 0) rl::yield(1, $);
      int& previous = last[index - Producers][item / 100];
      RL_ASSERT(item % 100 > previous);
      previous = item % 100;
      sum += item;
      ++taken;
    }
  }
  void after() {
    int expected = 0;
    for (unsigned p = 0; p < Producers; ++p) expected += Items * static_cast<int>(p) * 100 + Items * (Items + 1) / 2;
    RL_ASSERT(taken == static_cast<int>(Producers) * Items && sum == expected);
    RL_ASSERT(this->ring.size() == 0 && this->pop() == 0);
  }
};

// Close against pushes and pops: what was accepted comes out, and `closed` is said when nothing more can come.
template <unsigned Producers, unsigned Consumers, std::uint64_t Capacity, int Items, bool Patient>
struct Closing : Model<Closing<Producers, Consumers, Capacity, Items, Patient>, Producers + Consumers + 1>,
                 WithRing<Capacity> {
  int accepted = 0;
  int taken = 0;

  void begin() {}
  void thread(unsigned index) {
    if (index < Producers) {
      for (int i = 0; i < Items; ++i) {
        const Status status = this->ring.try_push(1);
        accepted += status == Status::ok;
        if (status == Status::closed) RL_ASSERT(this->ring.is_closed());
      }
    } else if (index < Producers + Consumers) {
      for (int item = 0, tries = 0; item != -1 && (Patient || tries < Items); ++tries) {
        item = this->pop();
        taken += item == 1;
        if (item == 0 && Patient) rl::yield(1, $);
        if (item == -1) RL_ASSERT(this->pop() == -1);
      }
    } else {
      this->ring.close();
    }
  }
  void after() {
    RL_ASSERT(this->ring.try_push(1) == Status::closed);
    if (Patient) RL_ASSERT(taken == accepted);
    while (taken < accepted) {
      RL_ASSERT(this->pop() == 1);
      ++taken;
    }
    RL_ASSERT(this->pop() == -1);
  }
};

// A third thread looks at the size meanwhile.
template <std::uint64_t Capacity>
struct Size : Model<Size<Capacity>, 3>, WithRing<Capacity> {
  void begin() {}
  void thread(unsigned index) {
    for (int i = 0; i < 2; ++i) {
      if (index == 0) this->push(1);
      if (index == 1) this->pop();
      if (index == 2) RL_ASSERT(this->ring.size() <= Capacity);
    }
  }
};

}  // namespace
}  // namespace xichan::model

int main(int argc, char** argv) {
  using namespace xichan::model;
  return xichan::model::main(
      argc, argv,
      {
          {"1p1c_capacity_1", Search::full, 1'000'000, simulate<OneToOne<1, 2, 2>>},
          {"1p1c_capacity_2", Search::full, 100'000, simulate<OneToOne<2, 3, 1>>},
          {"1p1c_near_wrap", Search::full, 1'000'000, simulate<OneToOne<1, 2, 2, near_wrap>>},
          {"1p1c_capacity_3", Search::random, 500'000, simulate<ManyToMany<1, 1, 3, 6>>},
          {"2p2c_capacity_1", Search::random, 300'000, simulate<ManyToMany<2, 2, 1, 2>>},
          {"2p2c_capacity_2", Search::random, 300'000, simulate<ManyToMany<2, 2, 2, 2>>},
          {"2p2c_capacity_3", Search::random, 300'000, simulate<ManyToMany<2, 2, 3, 3>>},
          {"2p2c_near_wrap", Search::random, 300'000, simulate<ManyToMany<2, 2, 1, 2, near_wrap>>},
          {"2p2c_near_wrap_2", Search::random, 300'000, simulate<ManyToMany<2, 2, 2, 3, near_wrap>>},
          {"close_push_pop", Search::full, 100'000, simulate<Closing<1, 1, 1, 1, false>>},
          {"close_1p1c", Search::random, 300'000, simulate<Closing<1, 1, 1, 2, true>>},
          {"close_2p2c", Search::random, 300'000, simulate<Closing<2, 2, 2, 2, true>>},
          {"size", Search::random, 500'000, simulate<Size<1>>},
          {"size_2", Search::random, 500'000, simulate<Size<2>>},
      });
}
