// Models of the slots of workers (src/page/slot_owner.h): one worker at a time writes a row, beside a thread that
// releases the slots of an interpreter; what a reader accepts is the row of the owner that it read.
#include "model.h"

// After the checker.
#include "page/sequenced.h"
#include "page/slot_owner.h"

namespace xichan::internal {
namespace model {
namespace {

constexpr unsigned words = 2;

template <class Derived, unsigned Threads>
struct WithSlot : Model<Derived, Threads> {
  SlotOwner owner;
  SequencedWords<words> row;  // the identity of the worker that has written it
  rl::var<int> writer;

  void begin() { writer($) = 0; }

  void write(std::uint64_t id) {
    writer($) = 1;
    row.begin_write();
    for (unsigned i = 0; i < words; ++i) row.set(i, id);
    row.end_write();
  }
  bool take(std::uint64_t id, bool& is_own) {
    if (!owner.try_take(id)) return false;
    write(id);
    is_own = owner.end_write(id);
    return true;
  }
  bool show(std::uint64_t id) {
    if (!owner.begin_write(id)) return false;
    write(id);
    return owner.end_write(id);
  }
  // A worker from its first row to its end. Nothing releases those of interpreter 2 but they themselves.
  void work(std::int64_t interpreter, std::uint64_t number, bool leaves = true) {
    const std::uint64_t id = SlotOwner::identity(interpreter, number);
    bool is_own;
    if (!take(id, is_own)) return;
    if (is_own) is_own = show(id);
    if (interpreter == 2) RL_ASSERT(is_own);
    if (leaves && is_own) owner.release(id);
  }
  void read() {
    const std::uint64_t before = owner.get();
    std::uint64_t found[words];
    if (before == 0 || !row.read(found) || owner.get() != before) return;
    for (std::uint64_t word : found) RL_ASSERT(word == before);
  }
};

// A worker of an interpreter that ends meanwhile.
struct Ends : WithSlot<Ends, 2> {
  void thread(unsigned index) {
    if (index == 0) return work(1, 1);
    owner.release_of(1);
  }
  void after() { RL_ASSERT(owner.try_take(SlotOwner::identity(2, 1))); }
};

// A worker that has a slot, and does not free it itself.
struct EndsLate : WithSlot<EndsLate, 2> {
  void begin() {
    WithSlot::begin();
    bool is_own;
    RL_ASSERT(take(SlotOwner::identity(1, 1), is_own) && is_own);
  }
  void thread(unsigned index) {
    if (index == 1) return owner.release_of(1);
    show(SlotOwner::identity(1, 1));
    show(SlotOwner::identity(1, 1));
  }
  void after() { RL_ASSERT(owner.try_take(SlotOwner::identity(2, 1))); }
};

// The slot of an interpreter that has ended goes on to a worker of another one, while it is released again: the row is
// still that of the first.
struct GoesOn : WithSlot<GoesOn, 3> {
  void begin() {
    WithSlot::begin();
    work(1, 1, false);
  }
  void thread(unsigned index) {
    if (index == 0) return owner.release_of(1);
    if (index == 1) return work(2, 1);
    read();
  }
};

// Workers of both interpreters try to have the slot, one ends, and a reader looks.
struct Crowd : WithSlot<Crowd, 5> {
  void thread(unsigned index) {
    if (index == 0) return owner.release_of(1);
    if (index == 1) return work(1, 1);
    if (index == 2) return work(1, 2, false);
    if (index == 3) {
      work(2, 1);
      return work(2, 2);
    }
    read();
    read();
  }
};

}  // namespace
}  // namespace model
}  // namespace xichan::internal

int main(int argc, char** argv) {
  using namespace xichan::internal::model;
  return xichan::internal::model::main(argc, argv,
                                       {
                                           {"ends", full_search<Ends>, 2},
                                           {"ends_late", full_search<EndsLate>, 2},
                                           {"goes_on", random_search<GoesOn>, 300'000},
                                           {"crowd", random_search<Crowd>, 300'000},
                                       });
}
