// A model of the arena's shared stores (src/arena/slots.h): threads exchange magazines, and sweep. A thread that takes
// a magazine owns it exclusively, sees the writes of its last owner, and may write to it.
#include "model.h"

#include "arena/slots.h"

namespace xichan::internal::model {
namespace {

struct alignas(8) Magazine {
  rl::var<int> rounds;
  rl::var<int> owner;
};

constexpr int no_thread = -1;

// Two slots for three magazines, so that full and empty stores occur.
struct Stores {
  Slots<2> slots;
  Magazine magazines[3];
  bool released[3] = {};

  static Magazine* as_magazine(std::uint64_t word) { return reinterpret_cast<Magazine*>(word); }

  void begin(int in_store) {
    for (Magazine& magazine : magazines) {
      magazine.rounds($) = 0;
      magazine.owner($) = no_thread;
    }
    for (int i = 0; i < in_store; ++i) RL_ASSERT(slots.put(reinterpret_cast<std::uint64_t>(&magazines[i])));
  }
  void own(Magazine* magazine, int thread) {
    RL_ASSERT(magazine->owner($) == no_thread);
    magazine->owner($) = thread;
    magazine->rounds($) = magazine->rounds($) + 1;
  }
  // Releases the magazine if the store is full.
  void put(Magazine* magazine) {
    magazine->owner($) = no_thread;
    if (!slots.put(reinterpret_cast<std::uint64_t>(magazine))) release(magazine);
  }
  void release(Magazine* magazine) {
    RL_ASSERT(!released[magazine - magazines]);
    released[magazine - magazines] = true;
  }
  // Returns the number of magazines that are in the store or were released, each exactly once.
  int count() {
    int found = released[0] + released[1] + released[2];
    while (const std::uint64_t word = slots.take()) {
      RL_ASSERT(!released[as_magazine(word) - magazines]);
      release(as_magazine(word));
      ++found;
    }
    return found;
  }
  int rounds() { return magazines[0].rounds($) + magazines[1].rounds($) + magazines[2].rounds($); }
};

// Each thread takes a magazine, writes to it and puts it back, `Turns` times.
template <unsigned Threads, int Turns>
struct Exchange : Model<Exchange<Threads, Turns>, Threads> {
  Stores stores;
  int turns[Threads] = {};

  void begin() { stores.begin(2); }
  void thread(unsigned index) {
    for (int turn = 0; turn < Turns; ++turn) {
      const std::uint64_t word = stores.slots.take();
      if (word == 0) continue;  // the other threads have them
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

// One thread sweeps twice while the other takes one magazine and puts one in: each ends up in exactly one place.
struct Sweep : Model<Sweep, 2> {
  Stores stores;

  void begin() { stores.begin(1); }
  void thread(unsigned index) {
    if (index == 0) {
      for (int i = 0; i < 2; ++i) {
        stores.slots.sweep([this](std::uint64_t word) {
          stores.own(Stores::as_magazine(word), 0);
          stores.release(Stores::as_magazine(word));
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

// A thread chooses a mapping by peeking into a slot, and another thread replaces it before it is taken. The thread owns
// the item that it takes, which is the one it saw or the other one, never a mixture.
struct TakeAfterPeek : Model<TakeAfterPeek, 3> {
  Stores stores;

  void begin() { stores.begin(1); }
  void thread(unsigned index) {
    if (index == 0) stores.put(&stores.magazines[1]);
    if (stores.slots.peek(0) == 0) return;
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
                                           {"take_after_peek", random_search<TakeAfterPeek>, 1'000'000},
                                       });
}
