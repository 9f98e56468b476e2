// Models of integers that are added to (src/state/atomic_int.h), while others move the value to the ends of its range:
// no addition wraps around, none is lost, and none that would overflow takes effect.
#include "state_under_model.h"

// After the sources under model.
#include "state/atomic_int.h"

namespace xichan::internal {
namespace model {
namespace {

template <class Derived, unsigned Threads>
struct WithInteger : Model<Derived, Threads> {
  World surroundings;
  Mutex unneeded[Threads];
  AtomicInteger* integer;
  std::int64_t added = 0;  // by calls that succeeded, without the checker's notice

  void begin() {
    make_table();
    world = &surroundings;
    private_locks = unneeded;
    integer = new AtomicInteger(0);
  }
  bool add(std::int64_t amount) {
    std::int64_t sum;
    if (!integer->add(amount, sum)) return false;
    added += amount;
    RL_ASSERT(sum >= 0);
    return true;
  }
  void after() {
    integer->release();
    table().~Table();
  }
};

// Small additions while the value jumps to the end of its range.
struct Jumps : WithInteger<Jumps, 3> {
  std::int64_t replaced = -1;  // the jump

  void thread(unsigned index) {
    if (index == 0) {
      replaced = integer->exchange(INT64_MAX - 1);
    } else if (index == 1) {
      add(1), add(1);
    } else {
      add(1);
      RL_ASSERT(integer->load() > 0);
    }
  }
  void after() {
    RL_ASSERT(integer->load() == INT64_MAX - 1 + added - replaced);
    RL_ASSERT(replaced + 1 >= added && replaced <= 3);
    WithInteger::after();
  }
};

// Two calls that move it, and one that does not: two of the three fit, or all.
struct Moves : WithInteger<Moves, 3> {
  void thread(unsigned index) {
    constexpr std::int64_t half = std::int64_t{1} << 62;
    if (index == 2) {
      add(1);
      RL_ASSERT(integer->load() > 0);
    } else {
      add(index == 0 ? half : half - 1);
    }
  }
  void after() {
    RL_ASSERT(integer->load() == added && added > 0);
    WithInteger::after();
  }
};

// What a thread wrote before its change, another reads after it has seen that, also if the value has moved.
struct Publishes : WithInteger<Publishes, 3> {
  rl::var<int> content;

  void begin() {
    WithInteger::begin();
    content($) = 0;
  }
  void thread(unsigned index) {
    if (index == 0) {
      content($) = 1;
      RL_ASSERT(integer->add(1, added));
    } else if (index == 1) {
      std::int64_t sum;
      integer->add(INT64_MAX - 1, sum);
    } else {
      const std::int64_t value = integer->load();
      RL_ASSERT(value == 0 || value == 1 || value >= INT64_MAX - 1);
      if (value == 1 || value == INT64_MAX) RL_ASSERT(content($) == 1);
    }
  }
};

// A conditional change to the end, and one from there.
struct Compares : WithInteger<Compares, 3> {
  int changes = 0;

  void thread(unsigned index) {
    if (index == 0) {
      changes += integer->compare_exchange(0, INT64_MIN);
    } else if (index == 1) {
      changes += integer->compare_exchange(INT64_MIN, 7);
    } else {
      std::int64_t sum;
      RL_ASSERT(integer->add(1, sum));
      RL_ASSERT(sum == 1 || sum == 8 || sum == INT64_MIN + 1);
      ++changes;
    }
  }
  void after() {
    const std::int64_t value = integer->load();
    RL_ASSERT(value == 1 || value == 8 || value == INT64_MIN + 1 || value == 7);
    RL_ASSERT(changes >= 1);
    WithInteger::after();
  }
};

}  // namespace
}  // namespace model
}  // namespace xichan::internal

int main(int argc, char** argv) {
  using namespace xichan::internal::model;
  return xichan::internal::model::main(argc, argv,
                                       {
                                           {"jumps", random_search<Jumps>, 300'000},
                                           {"moves", random_search<Moves>, 300'000},
                                           {"publishes", random_search<Publishes>, 300'000},
                                           {"compares", random_search<Compares>, 300'000},
                                       });
}
