// A model of the arena's shared stores (src/arena/slots.h): magazines that change hands between threads, and the sweep.
// Whoever takes a magazine owns it alone, sees what its last owner wrote into it, and may write to it.
#include "model.h"

#include "arena/slots.h"

namespace xichan::internal::model {
namespace {

struct alignas(8) Magazine {
  rl::var<int> rounds;
  rl::var<int> owner;
};

constexpr int nobody = -1;

// Two slots for three magazines: a store that is full, and one that is empty, come about.
struct Stores {
  Slots<2> slots;
  Magazine magazines[3];
  bool given_back[3] = {};

  static Magazine* as_magazine(std::uint64_t word) { return reinterpret_cast<Magazine*>(word); }

  void begin(int in_store) {
    for (Magazine& magazine : magazines) {
      magazine.rounds($) = 0;
      magazine.owner($) = nobody;
    }
    for (int i = 0; i < in_store; ++i) RL_ASSERT(slots.put(reinterpret_cast<std::uint64_t>(&magazines[i])));
  }
  void own(Magazine* magazine, int thread) {
    RL_ASSERT(magazine->owner($) == nobody);
    magazine->owner($) = thread;
    magazine->rounds($) = magazine->rounds($) + 1;
  }
  // What finds no place goes back to the system.
  void put(Magazine* magazine) {
    magazine->owner($) = nobody;
    if (!slots.put(reinterpret_cast<std::uint64_t>(magazine))) give_back(magazine);
  }
  void give_back(Magazine* magazine) {
    RL_ASSERT(!given_back[magazine - magazines]);
    given_back[magazine - magazines] = true;
  }
  // Each magazine is in the store or was given back, once; the number of those that were brought.
  int count() {
    int found = given_back[0] + given_back[1] + given_back[2];
    while (const std::uint64_t word = slots.take()) {
      RL_ASSERT(!given_back[as_magazine(word) - magazines]);
      give_back(as_magazine(word));
      ++found;
    }
    return found;
  }
  int rounds() { return magazines[0].rounds($) + magazines[1].rounds($) + magazines[2].rounds($); }
};

// Each thread takes a magazine, works on it and puts it back, twice.
template <unsigned Threads, int Turns>
struct Exchange : Model<Exchange<Threads, Turns>, Threads> {
  Stores stores;
  int turns[Threads] = {};

  void begin() { stores.begin(2); }
  void thread(unsigned index) {
    for (int turn = 0; turn < Turns; ++turn) {
      const std::uint64_t word = stores.slots.take();
      if (word == 0) continue;  // others have them
      Magazine* magazine = Stores::as_magazine(word);
      stores.own(magazine, static_cast<int>(index));
      ++turns[index];
      stores.put(magazine);
    }
  }
  void after() {
    int done = 0;
    for (const int n : turns) done += n;
    RL_ASSERT(stores.count() == 2);
    RL_ASSERT(stores.rounds() == done);
  }
};

// One thread sweeps twice while the other takes one and brings one: each magazine ends up in exactly one place.
struct Sweep : Model<Sweep, 2> {
  Stores stores;

  void begin() { stores.begin(1); }
  void thread(unsigned index) {
    if (index == 0) {
      for (int i = 0; i < 2; ++i) {
        stores.slots.sweep([this](std::uint64_t word) {
          stores.own(Stores::as_magazine(word), 0);
          stores.give_back(Stores::as_magazine(word));
        });
      }
      return;
    }
    stores.own(&stores.magazines[2], 1);
    stores.put(&stores.magazines[2]);
    if (const std::uint64_t word = stores.slots.take()) {
      stores.own(Stores::as_magazine(word), 1);
      stores.put(Stores::as_magazine(word));
    }
  }
  void after() { RL_ASSERT(stores.count() == 2); }
};

// A mapping is chosen by what was seen in a slot. Meanwhile another thread takes it and brings another one: whatever is
// taken is owned, and it is what was seen or something else, never half of each.
struct TakeWhatWasSeen : Model<TakeWhatWasSeen, 3> {
  Stores stores;

  void begin() { stores.begin(1); }
  void thread(unsigned index) {
    if (index == 0) stores.put(&stores.magazines[1]);
    if (stores.slots.look(0) == 0) return;
    const std::uint64_t word = stores.slots.take_from(0);
    if (word == 0) return;
    stores.own(Stores::as_magazine(word), static_cast<int>(index));
    stores.put(Stores::as_magazine(word));
  }
  void after() { RL_ASSERT(stores.count() == 2); }
};

}  // namespace
}  // namespace xichan::internal::model

int main(int argc, char** argv) {
  using namespace xichan::internal::model;
  return xichan::internal::model::main(argc, argv,
                                       {
                                           {"exchange_2", full_search<Exchange<2, 1>>, 1'000},
                                           {"exchange_3", random_search<Exchange<3, 2>>, 1'000'000},
                                           {"sweep", full_search<Sweep>, 100'000},
                                           {"take_what_was_seen", random_search<TakeWhatWasSeen>, 1'000'000},
                                       });
}
