// Models of a slab's state (src/arena/slab.h): threads take and free blocks, and retire the slab and prepare it for
// another class meanwhile. A block has one owner at a time, who sees the writes of the last one; a slab is retired only
// while no block of it is in use, and once all of them are free. And of the sets of granules
// (src/arena/granule_set.h): a slab with a free block is found, and a run of granules has one owner at a time.
#include "model.h"

#include "arena/granule_set.h"
#include "arena/slab.h"

namespace xichan::internal::model {
namespace {

constexpr unsigned most_blocks = 3;
constexpr std::uint32_t blocks_of(unsigned size_class) { return size_class + 2; }

template <unsigned Threads, int Rounds>
struct Classes : Model<Classes<Threads, Rounds>, Threads> {
  Slab slab;
  rl::var<int> memory[most_blocks];
  int taken = 0;
  int retirements = 0;
  int in_use = 0;

  void begin() {
    for (rl::var<int>& block : memory) block($) = -1;
    slab.prepare(0, blocks_of(0));
  }
  void thread(unsigned index) {
    const unsigned size_class = index % 2;
    for (int i = 0; i < Rounds; ++i) {
      unsigned block;
      switch (slab.take(size_class, block)) {
        case Slab::Taken::none:
        case Slab::Taken::returned: break;
        case Slab::Taken::retired: retire(index); break;
        case Slab::Taken::block:
          RL_ASSERT(block < blocks_of(size_class));
          ++taken;
          ++in_use;
          memory[block]($) = static_cast<int>(index);
          RL_ASSERT(slab.size_class() == size_class);
          RL_ASSERT(memory[block]($) == static_cast<int>(index));
          --in_use;
          if (slab.put(block)) retire(index);
          break;
      }
    }
  }
  // The caller owns the slab: it returns the memory and prepares the slab for the other class.
  void retire(unsigned index) {
    RL_ASSERT(in_use == 0);
    ++retirements;
    const unsigned other = 1 - slab.size_class();
    for (rl::var<int>& block : memory) block($) = static_cast<int>(index);
    slab.prepare(other, blocks_of(other));
  }
  // Nothing is lost: every block can be taken.
  void after() {
    RL_ASSERT(taken == 0 || retirements != 0);
    const unsigned size_class = slab.size_class();
    unsigned found = 0;
    for (unsigned i = 0; i < blocks_of(size_class); ++i) {
      unsigned block;
      RL_ASSERT(slab.take(size_class, block) == Slab::Taken::block);
      found |= 1u << block;
    }
    unsigned none;
    RL_ASSERT(found == (1u << blocks_of(size_class)) - 1);
    RL_ASSERT(slab.take(size_class, none) == Slab::Taken::none && !slab.has_available());
  }
};

// One thread frees a block, one removes the slab because nothing is free, and one takes a block for another class and
// makes it available again.
struct Listed : Model<Listed, 3> {
  static constexpr unsigned granule = 7;
  Slab slab;
  GranuleSet partial;

  void begin() {
    unsigned block;
    slab.prepare(0, 2);
    for (int i = 0; i < 2; ++i) RL_ASSERT(slab.take(0, block) == Slab::Taken::block);
    partial.add(granule, 1);
  }
  void thread(unsigned index) {
    unsigned block;
    if (index == 0) {
      RL_ASSERT(!slab.put(0));  // the other block is in use
      partial.offer(granule);
    } else if (index == 1) {
      if (partial.next(0) != granule || slab.has_available()) return;
      partial.remove_unless(granule, [&] { return slab.has_available(); });
    } else if (slab.take(1, block) == Slab::Taken::returned) {
      partial.offer(granule);
    }
  }
  void after() { RL_ASSERT(slab.has_available() && partial.next(0) == granule); }
};

// Threads take runs that lie in two words, and free them.
struct Runs : Model<Runs, 3> {
  static constexpr unsigned first = 62, count = 4;
  GranuleSet free;
  rl::var<int> memory[count];

  void begin() {
    for (rl::var<int>& granule : memory) granule($) = -1;
    free.add(first, count);
  }
  void thread(unsigned index) {
    const unsigned wanted = 1 + index;
    const int taken = free.take_run(wanted);
    if (taken < 0) return;
    const unsigned from = static_cast<unsigned>(taken);
    RL_ASSERT(from >= first && from + wanted <= first + count);
    for (unsigned i = 0; i < wanted; ++i) memory[from - first + i]($) = static_cast<int>(index);
    for (unsigned i = 0; i < wanted; ++i) RL_ASSERT(memory[from - first + i]($) == static_cast<int>(index));
    free.add(from, wanted);
  }
  void after() { RL_ASSERT(free.take_run(count) == static_cast<int>(first)); }
};

}  // namespace
}  // namespace xichan::internal::model

int main(int argc, char** argv) {
  using namespace xichan::internal::model;
  return xichan::internal::model::main(argc, argv,
                                       {
                                           {"classes_2", random_search<Classes<2, 2>>, 300'000},
                                           {"classes_3", random_search<Classes<3, 2>>, 300'000},
                                           {"listed", random_search<Listed>, 100'000},
                                           {"runs", random_search<Runs>, 100'000},
                                       });
}
