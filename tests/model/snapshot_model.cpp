// Models of pointers that threads read while others replace them (src/state/snapshot.h): an object is freed once, by
// the last that uses it, and no reader finds it freed. With the small numbers of the model, the second reader folds.
#include "model.h"

// After the checker.
#include "state/snapshot.h"

namespace xichan::internal {
namespace model {
namespace {

struct alignas(16) Object : Snapshot {
  rl::var<int> content;  // 1 while it may be used
  int frees = 0;
};
using Pointer = SnapshotPointer<Object>;

// `Objects` objects, of which the first is in the word at the start; the others are for the writers.
template <class Derived, unsigned Threads, unsigned Objects>
struct WithWord : Model<Derived, Threads> {
  static constexpr unsigned writers_objects = Objects;
  Object objects[Objects];
  Pointer word;
  bool used[Objects] = {};  // was in a word

  void begin() {
    RL_ASSERT(reinterpret_cast<std::uintptr_t>(objects) % 16 == 0);
    objects[0].content($) = 1;
    used[0] = true;
    word.store(&objects[0]);
  }
  void after() {
    bool is_last;
    if (Object* last = word.exchange(nullptr, 0, is_last)) {
      RL_ASSERT(is_last);
      release(last);
    }
    for (unsigned i = 0; i < Objects; ++i) RL_ASSERT(objects[i].frees == used[i]);
  }

  void release(Object* object) {
    object->content($) = 0;
    ++object->frees;
  }
  void leave(Object* object) {
    if (Pointer::leave(object)) release(object);
  }
  void read(Pointer& from) {
    Object* const object = from.enter();
    if (object == nullptr) return;
    RL_ASSERT(object->content($) == 1);
    leave(object);
  }
  void read() { read(word); }
  // As a reader of a cell or a map does it.
  void read_here(Pointer& from) {
    Object* const object = from.enter();
    if (object == nullptr) return;
    RL_ASSERT(object->content($) == 1);
    if (from.leave_here(object)) release(object);
  }
  void read_here() { read_here(word); }
  Object* fresh(unsigned number) {
    objects[number].content($) = 1;
    used[number] = true;
    return &objects[number];
  }
  void exchange(Object* object) {
    bool is_last;
    Object* const old = word.exchange(object, 0, is_last);
    if (old != nullptr && is_last) release(old);
  }
  // As a writer of a cell does it.
  void replace(unsigned number) {
    Object* const object = fresh(number);
    for (bool replaced = false; !replaced;) {
      Object* const seen = word.enter();
      RL_ASSERT(seen->content($) == 1);
      replaced = word.replace(seen, object);
      leave(seen);
    }
  }
};

// Two threads read, one of them twice, while a third exchanges the object.
struct Exchanged : WithWord<Exchanged, 3, 2> {
  void thread(unsigned index) {
    if (index == 0) return exchange(fresh(1));
    read();
    if (index == 1) read();
  }
};

// Three readers, so that folds meet each other and the limit of readers, and the word is emptied.
struct Emptied : WithWord<Emptied, 4, 1> {
  void thread(unsigned index) {
    if (index == 0) return exchange(nullptr);
    read();
  }
};

// Two writers that depend on what they replace, and a reader.
struct Replaced : WithWord<Replaced, 3, 3> {
  void thread(unsigned index) {
    if (index == 2) {
      read();
      return read();
    }
    replace(index + 1);
  }
};

// One that depends on it, and one that does not.
struct Both : WithWord<Both, 3, 3> {
  void thread(unsigned index) {
    if (index == 0) return replace(1);
    if (index == 1) return exchange(fresh(2));
    read();
  }
};

// A second word points to the same object, as while a table grows, and is emptied meanwhile.
struct TwoWords : WithWord<TwoWords, 3, 2> {
  Pointer other;

  void begin() {
    WithWord::begin();
    other.store(&objects[0]);
  }
  void thread(unsigned index) {
    if (index == 0) return exchange(fresh(1));
    if (index == 2) return read(other), read();
    bool is_last;
    Object* const old = other.exchange(nullptr, 0, is_last);
    if (old != nullptr && is_last) release(old);
  }
};

// Readers that leave by the word, and one that leaves by the count, while the object is exchanged.
struct LeftHere : WithWord<LeftHere, 4, 2> {
  void thread(unsigned index) {
    if (index == 0) return exchange(fresh(1));
    if (index == 1) return read();
    read_here();
    read_here();
  }
};

// The same while a writer that has read the object replaces it. The other returns to the word of a reader.
struct ReplacedHere : WithWord<ReplacedHere, 3, 3> {
  void thread(unsigned index) {
    if (index == 0) return replace(1);
    if (index == 1) return replace(2);
    read_here();
    read_here();
  }
};

// Two words, of which one is emptied and filled again with the same object, as tables of a map are.
struct TwoWordsHere : WithWord<TwoWordsHere, 3, 2> {
  Pointer other;

  void begin() {
    WithWord::begin();
    other.store(&objects[0]);
  }
  void thread(unsigned index) {
    if (index == 0) return exchange(fresh(1));
    if (index == 2) return read_here(other), read_here(other);
    Object* const held = other.enter();
    empty();
    other.store(held);
    empty();
    leave(held);
  }
  void empty() {
    bool is_last;
    Object* const old = other.exchange(nullptr, 0, is_last);
    RL_ASSERT(old != nullptr && !is_last);
  }
};

// Marks beside the pointer, which publish what was written before them.
struct Marked : WithWord<Marked, 2, 1> {
  rl::var<int> noted;
  Pointer empty;

  void thread(unsigned index) {
    if (index == 0) {
      noted($) = 1;
      return empty.clear(2);
    }
    const Pointer::Seen seen = empty.look();
    RL_ASSERT(seen.is_null());
    if (seen.marks() == 2) RL_ASSERT(noted($) == 1);
  }
};

// A word that is empty at first is filled.
struct Filled : WithWord<Filled, 3, 2> {
  Pointer empty;

  void thread(unsigned index) {
    if (index == 0) return empty.store(fresh(1), 1);
    read(empty);
  }
  void after() {
    bool is_last;
    if (Object* last = empty.exchange(nullptr, 0, is_last)) {
      RL_ASSERT(is_last);
      release(last);
    }
    WithWord::after();
  }
};

}  // namespace
}  // namespace model
}  // namespace xichan::internal

int main(int argc, char** argv) {
  using namespace xichan::internal::model;
  return xichan::internal::model::main(argc, argv,
                                       {
                                           {"exchanged", random_search<Exchanged>, 300'000},
                                           {"emptied", random_search<Emptied>, 300'000},
                                           {"replaced", random_search<Replaced>, 300'000},
                                           {"both", random_search<Both>, 300'000},
                                           {"two_words", random_search<TwoWords>, 300'000},
                                           {"left_here", random_search<LeftHere>, 300'000},
                                           {"replaced_here", random_search<ReplacedHere>, 300'000},
                                           {"two_words_here", random_search<TwoWordsHere>, 300'000},
                                           {"marked", full_search<Marked>, 2},
                                           {"filled", random_search<Filled>, 300'000},
                                       });
}
