// Models of the tables of maps (src/state/map_shard.cpp): a reader finds a key that stays in the map, whatever else is
// stored and removed, and while the table is replaced; an entry is freed by its last reader. Tables of the model have
// two slots at first, so that every second entry or so replaces them.
#include "model.h"

// After the checker.
#include "slots_under_model.h"
#include "state/map_shard.cpp"

namespace xichan::internal {
namespace model {
namespace {

template <class Derived, unsigned Threads>
struct WithShard : Model<Derived, Threads> {
  MapShard* shard;
  int entries = 0;     // that the writers count
  atomic<int> stored;  // what a writer has announced
  rl::var<int> last;   // what a writer knows, under the lock

  void begin() {
    SlotMemory::header = 16;
    shard = new MapShard;
    stored.store(0, memory_order_relaxed);
    last($) = 0;
    static_cast<Derived*>(this)->fill();
  }
  void after() { delete shard; }

  // Key 0, 1, ...: neighbors in the table, every other one with the same marks.
  static MapKey key(unsigned number) { return {std::uint64_t{number & 1} << 60 | number}; }
  // A key whose place is taken by key `number`, and which has its marks.
  static MapKey beside(unsigned number) { return {key(number).hash | 64}; }

  void set(MapKey key, int value = 1) {
    FreedEntries freed;
    auto* const entry = new MapEntry(key.hash, value);
    std::lock_guard guard(shard->lock());
    RL_ASSERT(shard->reserve() == Status::ok);
    std::uint64_t slot;
    MapEntry* const found = shard->find(key, slot);
    entries += found == nullptr;
    shard->store(slot, entry, freed);
    last($) = value;
    RL_ASSERT(shard->live() == entries && shard->cost() == entries);
  }
  void remove(MapKey key) {
    FreedEntries freed;
    std::lock_guard guard(shard->lock());
    std::uint64_t slot;
    if (shard->find(key, slot) == nullptr) return;
    --entries;
    shard->remove(slot, freed);
    RL_ASSERT(shard->live() == entries && shard->cost() == entries);
  }
  // Returns the value, or 0.
  int get(MapKey key) {
    SnapshotPointer<MapEntry>* slot;
    MapEntry* const entry = shard->enter(key, slot);
    if (entry == nullptr) return 0;
    RL_ASSERT(entry->hash == key.hash && entry->memory($) == 1);
    const int value = entry->value;
    MapEntry::leave(entry, *slot);
    return value;
  }
};

// The first entries are stored, and what one thread has stored another one finds.
struct Stored : WithShard<Stored, 3> {
  void fill() {}
  void thread(unsigned index) {
    if (index == 0) {
      set(key(0), 1);
      set(key(1), 2);
      return stored.store(2, memory_order_release);
    }
    if (index == 1 && stored.load(memory_order_acquire) == 2) RL_ASSERT(get(key(0)) == 1 && get(key(1)) == 2);
    const int value = get(key(1));
    RL_ASSERT(value == 0 || value == 2);
  }
};

// Keys stay while the table grows twice, also two that want one place. A key that was never stored is not found.
struct Grows : WithShard<Grows, 3> {
  void fill() { set(key(0)), set(beside(0), 2); }
  void thread(unsigned index) {
    if (index == 0) {
      for (unsigned i = 1; i < 3; ++i) set(key(i));
      return;
    }
    RL_ASSERT(get(key(0)) == 1);
    if (index == 1) RL_ASSERT(get(beside(1)) == 0);
    RL_ASSERT(get(beside(0)) == 2);
  }
};

// Many keys are stored, and some removed.
struct Fills : WithShard<Fills, 2> {
  void fill() { set(key(0)); }
  void thread(unsigned index) {
    for (unsigned i = 1; i < 20 && index == 0; ++i) {
      set(key(i));
      if (i % 3 == 0) remove(key(i));
    }
    for (unsigned i = 0; i < 20; ++i) {
      if (index == 0) RL_ASSERT(get(key(i)) == (i == 0 || i % 3 != 0));
    }
    RL_ASSERT(get(key(0)) == 1);
  }
};

// A key whose place is behind one that was removed is replaced there, not stored twice.
struct Behind : WithShard<Behind, 2> {
  void fill() {
    set(key(0));
    set(beside(0), 2);
  }
  void thread(unsigned index) {
    if (index == 1) return static_cast<void>(get(beside(0)));
    remove(key(0));
    set(beside(0), 3);
    RL_ASSERT(get(beside(0)) == 3);
    remove(beside(0));
    RL_ASSERT(get(beside(0)) == 0);
  }
};

// A key stays while others come and go: tables of the same size replace each other, and serve again.
struct Churns : WithShard<Churns, 2> {
  void fill() {
    set(key(1));
    set(key(0), 5);
    remove(key(1));
  }
  void thread(unsigned index) {
    if (index == 0) {
      for (unsigned i = 2; i < 8; ++i) {
        set(key(i));
        remove(key(i));
      }
      return;
    }
    for (int i = 0; i < 3; ++i) RL_ASSERT(get(key(0)) == 5);
  }
};

// A key behind one that is removed, in the same run of slots.
struct Removed : WithShard<Removed, 3> {
  void fill() {
    set(key(0));
    set(beside(0), 2);
  }
  void thread(unsigned index) {
    if (index == 0) return remove(key(0)), set(key(1)), set(key(2));
    RL_ASSERT(get(beside(0)) == 2);
    RL_ASSERT(get(index == 1 ? key(0) : key(3)) <= 1);
  }
};

// A value is replaced again and again, beside a table that grows: no reader sees an older value after a newer one.
struct Replaced : WithShard<Replaced, 3> {
  void fill() { set(key(0), 1); }
  void thread(unsigned index) {
    if (index == 0) {
      for (int value = 2; value < 5; ++value) {
        set(key(0), value);
        stored.store(value, memory_order_release);
        if (value == 3) set(key(1));
      }
      return;
    }
    for (int seen = 1, i = 0; i < 2; ++i) {
      const int announced = stored.load(memory_order_acquire);
      const int value = get(key(0));
      RL_ASSERT(value >= seen && value >= announced);
      seen = value;
    }
  }
};

// A key is removed and stored again: a reader finds an old value, a new one, or none, in this order.
struct StoredAgain : WithShard<StoredAgain, 3> {
  void fill() { set(key(0), 1), set(key(1), 1); }
  void thread(unsigned index) {
    if (index == 0) {
      remove(key(0));
      set(key(2));
      return set(key(0), 2);
    }
    const int first = get(key(0)), second = get(key(0));
    RL_ASSERT(first == 1 || (first == 0 ? second != 1 : second == 2));
  }
};

// Two writers, each of which stores, replaces and removes its own key, and a reader.
struct Writers : WithShard<Writers, 3> {
  void fill() { set(key(4), 4); }
  void thread(unsigned index) {
    if (index == 2) {
      RL_ASSERT(get(key(4)) == 4);
      RL_ASSERT(get(key(0)) <= 2);
      return;
    }
    set(key(index), 1);
    RL_ASSERT(get(key(index)) == 1);
    set(key(index), 2);
    remove(key(index));
    RL_ASSERT(get(key(index)) == 0);
  }
  void after() {
    RL_ASSERT(entries == 1);
    WithShard::after();
  }
};

// All entries are removed while they are read.
struct Cleared : WithShard<Cleared, 3> {
  void fill() { set(key(0), 1), set(key(1), 2), set(key(2), 3); }
  void thread(unsigned index) {
    if (index == 0) {
      FreedEntries freed;
      std::lock_guard guard(shard->lock());
      return shard->clear(freed);
    }
    const int first = get(key(index));
    RL_ASSERT(first == 0 || first == static_cast<int>(index) + 1);
    RL_ASSERT(get(key(index)) <= first);
  }
};

}  // namespace
}  // namespace model
}  // namespace xichan::internal

int main(int argc, char** argv) {
  using namespace xichan::internal::model;
  return xichan::internal::model::main(argc, argv,
                                       {
                                           {"stored", random_search<Stored>, 300'000},
                                           {"grows", random_search<Grows>, 300'000},
                                           {"fills", random_search<Fills>, 4'000},
                                           {"behind", random_search<Behind>, 100'000},
                                           {"churns", random_search<Churns>, 300'000},
                                           {"removed", random_search<Removed>, 300'000},
                                           {"replaced", random_search<Replaced>, 300'000},
                                           {"stored_again", random_search<StoredAgain>, 300'000},
                                           {"writers", random_search<Writers>, 300'000},
                                           {"cleared", random_search<Cleared>, 300'000},
                                       });
}
