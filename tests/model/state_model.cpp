// Models of locks, semaphores, events, cells, barriers and conditions (src/state): no wake-up is lost, and no admission
// is lost or given twice, while calls time out, are interrupted, never return, or belong to an owner that ends.
#include "state_under_model.h"

namespace xichan::internal {
namespace model {
namespace {

using Attempt = SharedLock::Attempt;
using Outcome = WaitRecord::Outcome;

// ---- Locks

template <class Derived, unsigned Threads, bool Recursive>
struct WithLock : WithObject<Derived, Threads, SharedLock> {
  SharedLock* make() { return new SharedLock(Recursive); }
  // Owner 1 is thread 0, and so on.
  static Token token(unsigned thread) { return Token::of(thread + 1, 7); }

  std::uint64_t last_ticket = 0;  // of the calls that waited

  // Returns false after the timeout.
  bool acquire(unsigned thread, Attempt& attempt, Deadline deadline = Deadline::never(), bool sliced = false) {
    attempt = this->object->try_acquire(token(thread));
    if (attempt != Attempt::busy) return true;
    Request request = SharedLock::request_of(token(thread));
    if (this->wait(*this->object, request, deadline, sliced) != Status::ok) return false;
    attempt = static_cast<Attempt>(request.answer);
    // No call that waits is overtaken by one that began to wait later.
    if (attempt == Attempt::acquired && !sliced) {
      RL_ASSERT(request.ticket > last_ticket);
      last_ticket = request.ticket;
    }
    return true;
  }
  void release(unsigned thread) { RL_ASSERT(this->object->release_once(token(thread))); }
  void use() { this->guarded($) = this->guarded($) + 1; }
  void acquire_and_use(unsigned thread, bool sliced = false) {
    Attempt attempt;
    RL_ASSERT(acquire(thread, attempt, Deadline::never(), sliced));
    RL_ASSERT(attempt == Attempt::acquired);
    use();
    release(thread);
  }
};

template <bool Recursive>
struct Excludes : WithLock<Excludes<Recursive>, 3, Recursive> {
  void thread(unsigned index) {
    this->acquire_and_use(index);
    if (index == 0) this->acquire_and_use(index);
  }
  void after() {
    RL_ASSERT(this->guarded($) == 4);
    Excludes::WithObject::after();
  }
};

struct Recursive : WithLock<Recursive, 3, true> {
  void thread(unsigned index) {
    Attempt attempt;
    acquire(index, attempt);
    acquire(index, attempt);
    use();
    if (index == 0) {
      const std::uint64_t depth = object->release_all(token(index));
      RL_ASSERT(depth == 2);
      acquire(index, attempt);
      object->restore(depth);
      use();
    }
    release(index);
    release(index);
    RL_ASSERT(!object->release_once(token(index)));
  }
};

// Calls that time out, and one that is interrupted and joins again.
struct TimesOut : WithLock<TimesOut, 3, false> {
  void thread(unsigned index) {
    Attempt attempt;
    if (index == 0) return acquire_and_use(index, true);
    if (!acquire(index, attempt, index == 1 ? soon : Deadline::never())) return;
    use();
    release(index);
  }
};

// Any thread may release a lock. Only one of them finds it held.
struct ReleasedByOther : WithLock<ReleasedByOther, 3, false> {
  void thread(unsigned index) {
    if (index == 2) {
      shared += object->release_once(token(2));
      return;
    }
    Attempt attempt;
    acquire(index, attempt);
    shared += object->release_once(token(index));
  }
  void after() {
    RL_ASSERT(shared == 2);
    RL_ASSERT(!object->is_locked());
    WithObject::after();
  }
};

// The owner ends while another call waits, and a third makes it look at its limits again.
template <bool Recursive>
struct OwnerEnds : WithLock<OwnerEnds<Recursive>, 3, Recursive> {
  void begin() {
    OwnerEnds::WithObject::begin();
    RL_ASSERT(this->object->try_acquire(this->token(0)) == Attempt::acquired);
  }
  void thread(unsigned index) {
    if (index == 0) return this->object->owner_ended(1);
    if (index == 2) this->object->nudge(&this->exiting);
    Attempt attempt;
    RL_ASSERT(this->acquire(index, attempt));
    if (attempt == Attempt::owner_died) {
      ++this->shared;
      RL_ASSERT(this->acquire(index, attempt));
    }
    RL_ASSERT(attempt == Attempt::acquired);
    this->use();
    this->release(index);
  }
  void after() {
    RL_ASSERT(this->shared == 1);
    OwnerEnds::WithObject::after();
  }
};

// An owner ends just when another thread releases its lock: a waiter learns of it or not, and gets the lock.
struct OwnerEndsLate : WithLock<OwnerEndsLate, 3, false> {
  void begin() {
    WithObject::begin();
    RL_ASSERT(object->try_acquire(token(0)) == Attempt::acquired);
  }
  void thread(unsigned index) {
    if (index == 0) return object->owner_ended(1);
    if (index == 1) {
      object->release_once(token(0));
      return;
    }
    Attempt attempt;
    RL_ASSERT(acquire(index, attempt));
    if (attempt == Attempt::owner_died) RL_ASSERT(acquire(index, attempt));
    RL_ASSERT(attempt == Attempt::acquired);
  }
  void after() {
    RL_ASSERT(object->owned_by(token(2)) || !object->is_locked());  // any thread may release it
    WithObject::after();
  }
};

// A call is admitted and never returns; its owner ends at the same time. Another call gets the lock, at the second
// attempt if it learns of the end; or, if `Both`, never returns either.
template <bool Dead, bool Recursive = false, bool Both = false>
struct NeverReturns : WithLock<NeverReturns<Dead, Recursive, Both>, 3, Recursive> {
  void begin() {
    NeverReturns::WithObject::begin();
    RL_ASSERT(this->object->try_acquire(this->token(2)) == Attempt::acquired);
  }
  void thread(unsigned index) {
    Attempt attempt;
    if (index == 2) {
      if (Dead) return this->object->owner_ended(3);
      this->release(2);
      return this->object->owner_ended(1);
    }
    if (index == 0 || Both) {
      Request request = SharedLock::request_of(this->token(index));
      RL_ASSERT(this->wait(*this->object, request) == Status::ok);
      this->object->withdraw(request);
      return;
    }
    RL_ASSERT(this->acquire(index, attempt));
    if (attempt == Attempt::owner_died) {
      ++this->shared;
      RL_ASSERT(this->acquire(index, attempt));
    }
    RL_ASSERT(attempt == Attempt::acquired);
    this->use();
    this->release(1);
  }
  void after() {
    RL_ASSERT(!this->object->is_locked() && (Both || this->guarded($) == 1));
    // The death is told once: to the other call, or to the next.
    const bool died = this->object->try_acquire(this->token(1)) == Attempt::owner_died;
    RL_ASSERT(this->shared <= 1 && (!Dead || died == (this->shared == 0)));
    NeverReturns::WithObject::after();
  }
};

// ---- Semaphores

template <class Derived, unsigned Threads>
struct WithSemaphore : WithObject<Derived, Threads, SharedSemaphore> {
  SharedSemaphore* make() { return new SharedSemaphore(0); }
  bool acquire(Deadline deadline = Deadline::never(), bool sliced = false) {
    Request request;
    return this->object->try_acquire() || this->wait(*this->object, request, deadline, sliced) == Status::ok;
  }
};

struct Units : WithSemaphore<Units, 3> {
  void thread(unsigned index) {
    RL_ASSERT(index == 2 ? object->release_many(2) : acquire(Deadline::never(), index == 0));
  }
  void after() {
    RL_ASSERT(object->value() == 0);
    WithObject::after();
  }
};

// One unit for two calls, of which one may give up.
struct UnitOrTimeout : WithSemaphore<UnitOrTimeout, 3> {
  void thread(unsigned index) {
    if (index == 2) {
      RL_ASSERT(object->release_many(1));
    } else if (acquire(index == 0 ? soon : Deadline::never())) {
      ++shared;
      if (index == 0) RL_ASSERT(object->release_many(1));
    }
  }
  void after() {
    RL_ASSERT(object->value() == 0 && shared >= 1);
    WithObject::after();
  }
};

// ---- Events

// The flag is cleared at once; a call that waited returns nevertheless.
struct SetAndCleared : WithObject<SetAndCleared, 3, SharedEvent> {
  SharedEvent* make() { return new SharedEvent; }
  Request requests[3];
  void begin() {
    WithObject::begin();
    for (Request& request : requests) request = object->request();
  }
  void thread(unsigned index) {
    if (index == 2) {
      object->set();
      return object->clear();
    }
    RL_ASSERT(wait(*object, requests[index], Deadline::never(), index == 0) == Status::ok);
  }
};

// The process begins to exit: the call returns, whether it has begun to wait or not.
struct Exits : WithObject<Exits, 2, SharedEvent> {
  SharedEvent* make() { return new SharedEvent; }
  void thread(unsigned index) {
    if (index == 1) {
      exiting.store(true, memory_order_seq_cst);
      return StateObjects::nudge_all();
    }
    Request request = object->request();
    RL_ASSERT(object->wait(request, limits()) == Status::interrupted);
  }
};

// What one thread wrote before it set the flag, another reads after it has seen it.
struct FlagPublishes : WithObject<FlagPublishes, 2, SharedEvent> {
  SharedEvent* make() { return new SharedEvent; }
  void thread(unsigned index) {
    if (index == 1) {
      guarded($) = 1;
      return object->set();
    }
    Request request = object->request();
    if (object->is_set()) RL_ASSERT(guarded($) == 1);
    RL_ASSERT(wait(*object, request) == Status::ok);
    RL_ASSERT(guarded($) == 1);
  }
};

// ---- Cells

template <class Derived, unsigned Threads>
struct WithCell : WithObject<Derived, Threads, VersionedCell> {
  VersionedCell* make() {
    ++this->surroundings.values;
    return new VersionedCell(new HeldValue(Cell(1)));
  }
  void set(std::uint64_t value) {
    ++this->surroundings.values;
    RL_ASSERT(this->object->set(Cell(value)) == Status::ok);
  }
  std::uint64_t get() {
    Cell value;
    const std::uint64_t version = this->object->get(value);
    release(value);
    return version;
  }
};

// Two writers; a call that waits for a later version each time sees the last one.
struct Versions : WithCell<Versions, 3> {
  void thread(unsigned index) {
    if (index != 2) return set(index);
    for (std::uint64_t seen = 1; seen < 3;) {
      Request request{.wanted = seen};
      RL_ASSERT(wait(*object, request, Deadline::never(), seen == 1) == Status::ok);
      RL_ASSERT(request.answer > seen && request.answer <= get());
      seen = request.answer;
    }
  }
  void after() {
    RL_ASSERT(object->version() == 3);
    WithObject::after();
  }
};

// A value that is replaced by compare-and-set wakes the call that waits for it.
struct Conditional : WithCell<Conditional, 2> {
  void thread(unsigned index) {
    if (index == 0) {
      bool done;
      ++surroundings.values;
      RL_ASSERT(object->compare_and_set(1, Cell(2), done) == Status::ok && done);
      return;
    }
    Request request{.wanted = 1};
    RL_ASSERT(wait(*object, request) == Status::ok && request.answer == 2);
  }
};

// Each increment is by compare-and-set; none is lost.
struct Incremented : WithCell<Incremented, 3> {
  void thread(unsigned index) {
    if (index == 2) {
      get();
      return;
    }
    for (bool done = false; !done;) {
      Cell value;
      const std::uint64_t version = object->get(value);
      release(value);
      ++surroundings.values;
      RL_ASSERT(object->compare_and_set(version, Cell(value.word + 1), done) == Status::ok);
      if (!done) --surroundings.values;
    }
  }
  void after() {
    Cell value;
    RL_ASSERT(object->get(value) == 3 && value.word == 3);
    release(value);
    WithObject::after();
  }
};

// ---- Barriers

template <class Derived, unsigned Threads, unsigned Parties>
struct WithBarrier : WithObject<Derived, Threads, SharedBarrier> {
  SharedBarrier* make() { return new SharedBarrier(Parties, -1); }
  Outcome enter(std::uint64_t* index = nullptr, Deadline deadline = Deadline::never(), bool sliced = false) {
    WaitRecord record;
    Outcome outcome = this->object->enter(record);
    if (outcome == Outcome::waiting) {
      Request request = SharedBarrier::request_of(record);
      const Status status = this->wait(*this->object, request, deadline, sliced);
      outcome = this->object->leave(record, true);
      RL_ASSERT(outcome != Outcome::waiting);
      RL_ASSERT(status != Status::ok || request.record->outcome() == outcome);
    }
    if (index != nullptr) *index = record.index;
    return outcome;
  }
};

// All pass twice, with different places; what each wrote before the others read after.
struct Rounds : WithBarrier<Rounds, 2, 2> {
  rl::var<int> written[2];
  int places = 0;
  void begin() {
    WithObject::begin();
    for (auto& one : written) one($) = 0;
  }
  void thread(unsigned index) {
    written[index]($) = 1;
    std::uint64_t place;
    RL_ASSERT(enter(&place, Deadline::never(), index == 0) == Outcome::passed);
    places += static_cast<int>(place) + 1;
    RL_ASSERT(written[1 - index]($) == 1);
    RL_ASSERT(enter() == Outcome::passed);
  }
  void after() {
    RL_ASSERT(places == 3 && object->arrived() == 0 && !object->is_broken());
    WithObject::after();
  }
};

// One call may give up: all pass, or the barrier is broken for all.
struct GivesUp : WithBarrier<GivesUp, 3, 3> {
  int passed = 0;
  void thread(unsigned index) { passed += enter(nullptr, index == 0 ? soon : Deadline::never()) == Outcome::passed; }
  void after() {
    RL_ASSERT(passed == (object->is_broken() ? 0 : 3));
    WithObject::after();
  }
};

// Two calls wait for a third one that never comes; the barrier is broken instead.
struct Aborted : WithBarrier<Aborted, 3, 3> {
  void thread(unsigned index) {
    if (index == 2) return object->abort();
    RL_ASSERT(enter(nullptr, Deadline::never(), index == 0) == Outcome::broken);
  }
};

// The barrier is reset while a call waits.
struct Reset : WithBarrier<Reset, 2, 2> {
  void thread(unsigned index) {
    if (index == 0) return static_cast<void>(shared += enter() == Outcome::broken);
    while (object->arrived() == 0) rl::yield(1, $);
    object->reset();
  }
};

// ---- Conditions

template <class Derived, unsigned Threads>
struct WithCondition : WithObject<Derived, Threads, SharedCondition> {
  SharedCondition* make() {
    auto* const lock = new SharedLock(true);
    StateObjects::add(*lock);
    return new SharedCondition(*lock);
  }
  static Token token(unsigned thread) { return Token::of(thread + 1, 7); }
  void acquire(unsigned thread) {
    SharedLock& lock = this->object->guard();
    if (lock.try_acquire(token(thread)) == Attempt::acquired) return;
    Request request = SharedLock::request_of(token(thread));
    RL_ASSERT(this->wait(lock, request) == Status::ok);
  }
  void release(unsigned thread) { RL_ASSERT(this->object->guard().release_once(token(thread))); }
  // Returns whether it was notified. `returns`: otherwise the call ends by an exception.
  bool wait_once(unsigned thread, Deadline deadline = Deadline::never(), bool sliced = false, bool returns = true) {
    WaitRecord record;
    this->object->enter(record);
    RL_ASSERT(this->object->guard().release_all(token(thread)) == 1);
    Request request = SharedCondition::request_of(record);
    this->wait(*this->object, request, deadline, sliced);
    const bool notified = this->object->leave(record, returns) == Outcome::passed;
    acquire(thread);
    return notified;
  }
};

// Two calls wait until a third has set a variable and notified both.
template <bool All>
struct Notified : WithCondition<Notified<All>, 3> {
  void thread(unsigned index) {
    this->acquire(index);
    if (index == 2) {
      this->guarded($) = 1;
      this->object->notify(All ? UINT64_MAX : 2);
    } else {
      while (this->guarded($) == 0) RL_ASSERT(this->wait_once(index, Deadline::never(), index == 0));
    }
    this->release(index);
  }
};

// Two items for two calls, with a notification each; one call may give up, or end by an exception after it was
// notified: then the notification wakes the other one.
template <bool Returns>
struct PassedOn : WithCondition<PassedOn<Returns>, 3> {
  void thread(unsigned index) {
    this->acquire(index);
    if (index == 2) {
      this->guarded($) = 1;
      this->object->notify(1);
    } else if (index == 1) {
      while (this->guarded($) == 0) this->wait_once(1);
      this->guarded($) = this->guarded($) - 1;
    } else if (this->guarded($) == 0) {
      this->wait_once(0, soon, false, Returns);
      this->object->notify(Returns);  // it takes nothing, and says so
    }
    this->release(index);
  }
};

// ---- References

// The last reference is released while another thread looks for the object.
struct Found : WithObject<Found, 3, SharedEvent> {
  SharedEvent* make() { return new SharedEvent; }
  void thread(unsigned index) {
    if (index == 0) {
      object->set();
      object->release();
      return;
    }
    StateObject* const found = index == 1 ? StateObjects::find(number) : nullptr;
    if (found != nullptr) {
      static_cast<SharedEvent*>(found)->clear();
      found->release();
    }
    if (index == 2) StateObjects::nudge_all();
  }
  std::uint64_t number;
  void begin() {
    WithObject::begin();
    number = object->number();
  }
  void after() {
    object = make();
    StateObjects::add(*object);
    RL_ASSERT(StateObjects::count() == 1);
    WithObject::after();
  }
};

}  // namespace
}  // namespace model
}  // namespace xichan::internal

int main(int argc, char** argv) {
  using namespace xichan::internal::model;
  return xichan::internal::model::main(
      argc, argv,
      {
          {"excludes", random_search<Excludes<false>>, 300'000},
          {"excludes_recursive", random_search<Excludes<true>>, 300'000},
          {"recursive", random_search<Recursive>, 300'000},
          {"times_out", random_search<TimesOut>, 300'000},
          {"released_by_other", random_search<ReleasedByOther>, 200'000},
          {"owner_ends", random_search<OwnerEnds<false>>, 300'000},
          {"owner_ends_recursive", random_search<OwnerEnds<true>>, 300'000},
          {"owner_ends_late", random_search<OwnerEndsLate>, 300'000},
          {"never_returns", random_search<NeverReturns<false>>, 300'000},
          {"never_returns_dead", random_search<NeverReturns<true>>, 300'000},
          {"never_returns_recursive", random_search<NeverReturns<true, true>>, 100'000},
          {"never_return", random_search<NeverReturns<true, false, true>>, 100'000},
          {"units", random_search<Units>, 300'000},
          {"unit_or_timeout", random_search<UnitOrTimeout>, 300'000},
          {"set_and_cleared", random_search<SetAndCleared>, 300'000},
          {"exits", random_search<Exits>, 100'000},
          {"flag_publishes", random_search<FlagPublishes>, 100'000},
          {"versions", random_search<Versions>, 300'000},
          {"conditional", random_search<Conditional>, 100'000},
          {"incremented", random_search<Incremented>, 300'000},
          {"rounds", random_search<Rounds>, 300'000},
          {"gives_up", random_search<GivesUp>, 300'000},
          {"reset", random_search<Reset>, 100'000},
          {"aborted", random_search<Aborted>, 300'000},
          {"notified", random_search<Notified<false>>, 300'000},
          {"notified_all", random_search<Notified<true>>, 300'000},
          {"passed_on", random_search<PassedOn<true>>, 300'000},
          {"passed_on_raised", random_search<PassedOn<false>>, 300'000},
          {"found", random_search<Found>, 300'000},
      });
}
