// Models of loans (src/arena/lender.h): threads return them while the owner drains them, and while it ends.
//
// Each object has a location that every thread reads before it returns a loan, and that is written when the object is
// freed. The members that the lock of the owner guards are used by one thread here, the owner.
#include "model.h"

#define static_assert(...)  // sizes differ: the checker's atomics are large
#include "arena/block.h"
#undef static_assert
#include "arena/lender.cpp"

namespace xichan::internal::model {
namespace {

constexpr unsigned most_objects = 3;

struct Object {
  rl::var<int> content;  // written by the free
  int references;        // under the owner's lock
  int frees;             // how often it was freed
};
Object* objects;

void free_object(Object& object) {
  object.content($) = 1;
  ++object.frees;
}
void drop(void* object) noexcept {
  auto& lent = *static_cast<Object*>(object);
  RL_ASSERT(lent.references > 0);
  if (--lent.references == 0) free_object(lent);
}
bool has_only(void* object, std::uint64_t references) noexcept {
  return static_cast<Object*>(object)->references == static_cast<int>(references);
}
void free_orphan(void* object) noexcept { free_object(*static_cast<Object*>(object)); }

// The owner is thread 0. Each of the other threads has one loan.
template <class Derived, unsigned Threads>
struct WithLender : Model<Derived, Threads> {
  Object its[most_objects];
  Lender* lender;
  Loan* loans[Threads];

  void begin() {
    objects = its;
    LentBytes::now = 0;
    for (Object& object : its) {
      object.content($) = 0;
      object.references = 0;
      object.frees = 0;
    }
    lender = Lender::create({drop, has_only, free_orphan});
    for (unsigned i = 1; i < Threads; ++i) lend(i, its[static_cast<Derived*>(this)->object_of(i)]);
  }
  void lend(unsigned thread, Object& object) {
    loans[thread] = lender->lend(&object, 1);
    RL_ASSERT(loans[thread] != nullptr);
    RL_ASSERT(Lender::place(loans[thread]).object == loans[thread]);
    ++object.references;
  }
  // As the last release of a block does.
  void return_loan(unsigned thread) {
    RL_ASSERT(its[static_cast<Derived*>(this)->object_of(thread)].content($) == 0);
    loan_reference.release(loans[thread]);
  }
  void after() {
    RL_ASSERT(LentBytes::now == 0);
    for (unsigned i = 1; i < Threads; ++i) {
      RL_ASSERT(its[static_cast<Derived*>(this)->object_of(i)].frees == static_cast<Derived*>(this)->frees());
    }
  }
  static int frees() { return 1; }
};

// The owner drains while the loans of two objects, or of one, come back, and ends when they have.
template <bool Same>
struct Drains : WithLender<Drains<Same>, 3> {
  atomic<int> returned;

  static unsigned object_of(unsigned thread) { return Same ? 0 : thread; }
  void begin() {
    Drains::WithLender::begin();
    returned.store(0, memory_order_relaxed);
  }
  void thread(unsigned index) {
    if (index != 0) {
      this->return_loan(index);
      returned.fetch_add(1, memory_order_relaxed);
      return;
    }
    this->lender->drain();
    while (returned.load(memory_order_relaxed) != 2) rl::yield(1, $);
    while (this->lender->has_lent()) {
      this->lender->drain();
      rl::yield(1, $);
    }
    for (unsigned i = 1; i < 3; ++i) RL_ASSERT(this->its[object_of(i)].frees == 1);
    this->lender->close();
  }
};

// The owner ends while the loans of two objects, or of one, come back. `Used`: it also uses them itself, until it ends
// or for longer, and then they are never freed.
enum class Used { no, until_end, longer };
template <unsigned Threads, bool Same, Used Use>
struct Ends : WithLender<Ends<Threads, Same, Use>, Threads> {
  static unsigned object_of(unsigned thread) { return Same ? 0 : thread - 1; }
  static int frees() { return Use != Used::longer; }
  void begin() {
    Ends::WithLender::begin();
    if (Use == Used::no) return;
    for (Object& object : this->its) object.references += object.references != 0;
  }
  void thread(unsigned index) {
    if (index != 0) return this->return_loan(index);
    if (Use == Used::until_end) {
      for (Object& object : this->its) {
        if (object.references != 0) drop(&object);
      }
    }
    this->lender->close();
  }
};

// Two loans of one object and one of another, of which the owner drains some before it ends.
struct Mixed : WithLender<Mixed, 4> {
  static unsigned object_of(unsigned thread) { return thread == 3; }
  void thread(unsigned index) {
    if (index != 0) return return_loan(index);
    lender->drain();
    lender->close();
  }
};

// The owner lends an object once more, while other loans of it come back.
struct LentAgain : WithLender<LentAgain, 3> {
  static unsigned object_of(unsigned) { return 0; }
  void begin() {
    WithLender::begin();
    ++its[0].references;
  }
  void thread(unsigned index) {
    if (index != 0) return return_loan(index);
    lend(0, its[0]);
    lender->drain();
    return_loan(0);
    drop(&its[0]);
    lender->close();
  }
};

}  // namespace
}  // namespace xichan::internal::model

int main(int argc, char** argv) {
  using namespace xichan::internal::model;
  return xichan::internal::model::main(argc, argv,
                                       {
                                           {"drains", random_search<Drains<false>>, 300'000},
                                           {"drains_same", random_search<Drains<true>>, 300'000},
                                           {"ends_2", full_search<Ends<2, true, Used::no>>, 2'000},
                                           {"ends_same", random_search<Ends<3, true, Used::no>>, 300'000},
                                           {"ends_same_3", random_search<Ends<4, true, Used::until_end>>, 300'000},
                                           {"ends_apart", random_search<Ends<3, false, Used::until_end>>, 300'000},
                                           {"ends_used", random_search<Ends<3, true, Used::longer>>, 300'000},
                                           {"mixed", random_search<Mixed>, 300'000},
                                           {"lent_again", random_search<LentAgain>, 300'000},
                                       });
}
