// Models of words that are read while they are written (src/page/sequenced.h): what a reader accepts is what one write
// has left behind, also if a writer stops in the middle, or several writers take turns (src/page/slot_set.h).
#include "model.h"

// After the checker.
#include "page/sequenced.h"
#include "page/slot_set.h"

namespace xichan::internal {
namespace model {
namespace {

constexpr unsigned words = 2;

// Each write leaves the same number in both words.
template <class Derived, unsigned Threads>
struct WithWords : Model<Derived, Threads> {
  SequencedWords<words> content;
  SlotSet<1> slots;
  rl::var<int> owned;  // by the writer that has the slot

  void begin() { owned($) = 0; }

  void write(std::uint64_t number) {
    content.begin_write();
    for (unsigned i = 0; i < words; ++i) content.set(i, number);
    content.end_write();
  }
  bool read(std::uint64_t& number) {
    std::uint64_t found[words];
    if (!content.read(found)) return false;
    for (unsigned i = 1; i < words; ++i) RL_ASSERT(found[i] == found[0]);
    number = found[0];
    return true;
  }
  void write_in_turn(std::uint64_t number) {
    if (slots.take(0) != 0) return;
    owned($) = 1;
    write(number);
    slots.release(0);
  }
};

// Two writes, and two reads, of which the second sees nothing older.
struct OneWriter : WithWords<OneWriter, 2> {
  void thread(unsigned index) {
    if (index == 0) {
      write(1);
      return write(2);
    }
    std::uint64_t first = 0, second = 0;
    const bool was_read = read(first);
    if (read(second) && was_read) RL_ASSERT(second >= first);
  }
};

// A write that another thread knows to be finished is seen.
struct Finished : WithWords<Finished, 2> {
  atomic<int> finished;

  void begin() {
    WithWords::begin();
    finished.store(0, memory_order_relaxed);
  }
  void thread(unsigned index) {
    if (index == 0) {
      write(1);
      finished.store(1, memory_order_release);
    } else if (finished.load(memory_order_acquire) == 1) {
      std::uint64_t number = 0;
      RL_ASSERT(read(number) && number == 1);
    }
  }
};

// A writer that stops after the first word of its second write, as if its process had died.
struct Stopped : WithWords<Stopped, 2> {
  void thread(unsigned index) {
    if (index == 0) {
      write(1);
      content.begin_write();
      return content.set(0, 2);
    }
    std::uint64_t number = 0;
    if (read(number)) RL_ASSERT(number < 2);
  }
};

// Two writers that take turns, and a reader.
struct TwoWriters : WithWords<TwoWriters, 3> {
  void thread(unsigned index) {
    if (index < 2) return write_in_turn(index + 1);
    std::uint64_t number;
    read(number);
    read(number);
  }
};

// Three writers, one of them twice.
struct ThreeWriters : WithWords<ThreeWriters, 4> {
  void thread(unsigned index) {
    if (index < 3) {
      write_in_turn(index + 1);
      if (index == 0) write_in_turn(4);
      return;
    }
    std::uint64_t number;
    read(number);
    read(number);
  }
};

// As many slots as threads: each thread finds one that is free.
template <unsigned threads>
struct Slots : Model<Slots<threads>, threads> {
  SlotSet<threads> slots;
  rl::var<int> owned[threads];

  void begin() {
    for (auto& slot : owned) slot($) = 0;
  }
  void thread(unsigned index) {
    for (unsigned round = 0; round < 2; ++round) {
      const std::size_t slot = slots.take(index == 0 ? 0 : threads - 1);
      RL_ASSERT(slot < threads);  // there are as many slots as threads
      owned[slot]($) = static_cast<int>(index);
      slots.release(slot);
    }
  }
};

// A slot too few.
struct Full : Model<Full, 3> {
  SlotSet<2> slots;
  rl::var<int> owned[2];
  atomic<int> taken;

  void begin() {
    for (auto& slot : owned) slot($) = 0;
    taken.store(0, memory_order_relaxed);
  }
  void thread(unsigned index) {
    const std::size_t slot = slots.take(index % 2);
    if (slot == 2) return;
    owned[slot]($) = 1;
    taken.fetch_add(1, memory_order_relaxed);
  }
  void after() { RL_ASSERT(taken.load(memory_order_relaxed) == 2 && slots.take(0) == 2 && slots.take(1) == 2); }
};

}  // namespace
}  // namespace model
}  // namespace xichan::internal

int main(int argc, char** argv) {
  using namespace xichan::internal::model;
  return xichan::internal::model::main(argc, argv,
                                       {
                                           {"one_writer", random_search<OneWriter>, 300'000},
                                           {"finished", full_search<Finished>, 2},
                                           {"stopped", random_search<Stopped>, 100'000},
                                           {"two_writers", random_search<TwoWriters>, 300'000},
                                           {"two_slots", full_search<Slots<2>>, 2},
                                           {"three_slots", random_search<Slots<3>>, 300'000},
                                           {"full", full_search<Full>, 3},
                                           {"three_writers", random_search<ThreeWriters>, 300'000},
                                       });
}
