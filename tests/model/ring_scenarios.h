// Scenarios for any ring: each item is popped once, in order, and never accessed by two threads at a time.
#pragma once

#include "model.h"

// After the checker.

namespace xichan::internal::model {
namespace {

// Holds a ring of numbers. `Ring` is default-constructible and has a `bound`.
template <class Ring>
struct WithRing {
  Ring ring;

  bool push(int item) { return ring.try_push(item) == Status::ok; }
  int pop() {
    int item = 0;
    const Status status = ring.try_pop(item);
    return status == Status::ok ? item : status == Status::closed ? -1 : 0;
  }
};

// One producer and one consumer that try a few times and then stop: searched fully.
template <class Ring, int Pushes, int Pops>
struct OneToOne : Model<OneToOne<Ring, Pushes, Pops>, 2>, WithRing<Ring> {
  int pushed = 0;
  int popped = 0;

  void begin() {}
  void thread(unsigned index) {
    if (index == 0) {
      for (int i = 0; i < Pushes; ++i) {
        const bool accepted = this->push(pushed + 1);
        RL_ASSERT(accepted || i >= Ring::bound);
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

// Producers and consumers that continue until all items are through. Items are numbered per producer: producer * 100 +
// i.
template <class Ring, unsigned Producers, unsigned Consumers, int Items>
struct ManyToMany : Model<ManyToMany<Ring, Producers, Consumers, Items>, Producers + Consumers>, WithRing<Ring> {
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

// With enough items and slots, concurrent pops and pushes all succeed: no call returns `empty` or `full` because
// another thread was faster.
template <class Ring, unsigned Consumers, unsigned Producers>
struct Enough : Model<Enough<Ring, Consumers, Producers>, Consumers + Producers>, WithRing<Ring> {
  void begin() {
    for (unsigned i = 0; i < Consumers; ++i) RL_ASSERT(this->push(1));
  }
  void thread(unsigned index) { RL_ASSERT(index < Consumers ? this->pop() == 1 : this->push(1)); }
};

// Close against pushes and pops: accepted items are popped, and `closed` is returned only when no more can arrive.
template <class Ring, unsigned Producers, unsigned Consumers, int Items, bool Patient>
struct Closing : Model<Closing<Ring, Producers, Consumers, Items, Patient>, Producers + Consumers + 1>, WithRing<Ring> {
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

// A third thread reads the size meanwhile.
template <class Ring>
struct Size : Model<Size<Ring>, 3>, WithRing<Ring> {
  void begin() {}
  void thread(unsigned index) {
    for (int i = 0; i < 2; ++i) {
      if (index == 0) this->push(1);
      if (index == 1) this->pop();
      if (index == 2) RL_ASSERT(this->ring.size() <= static_cast<std::uint64_t>(Ring::bound));
    }
  }
};

}  // namespace
}  // namespace xichan::internal::model
