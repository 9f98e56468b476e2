// Locks, semaphores, events, barriers and conditions between threads, and what is known about them without waiting.
#include "state/lock.h"
#include <new>

#include "state/barrier.h"
#include "state/condition.h"
#include "state/event.h"
#include "state/semaphore.h"
#include "support/support.h"

namespace xichan::internal {
namespace {

using Attempt = SharedLock::Attempt;
using Outcome = WaitRecord::Outcome;

const atomic<bool> not_exiting{false};

WaitLimits limits(Deadline deadline = Deadline::never()) { return {deadline, Deadline::never(), &not_exiting, false}; }

template <class Object, class... Arguments>
Object* make(Arguments&&... arguments) {
  auto* object = new (std::nothrow) Object(arguments...);
  StateObjects::add(*object);
  return object;
}

constexpr auto mine = [] { return Token::of(1, 1); };
constexpr auto other = [] { return Token::of(2, 1); };

Attempt wait_for(SharedLock& lock, Token token) {
  Request request = SharedLock::request_of(token);
  EXPECT_EQ(lock.wait(request, limits()), Status::ok);
  return static_cast<Attempt>(request.answer);
}

TEST(Lock, IsFreeHeldOrDied) {
  auto* lock = make<SharedLock>(false);
  EXPECT_EQ(lock->try_acquire(mine()), Attempt::acquired);
  EXPECT_TRUE(lock->is_locked());
  EXPECT_EQ(lock->owner(), 1u);
  EXPECT_EQ(lock->try_acquire(other()), Attempt::busy);
  lock->owner_ended(2);
  EXPECT_TRUE(lock->owned_by(mine()));
  lock->owner_ended(1);
  EXPECT_FALSE(lock->is_locked());
  EXPECT_EQ(lock->try_acquire(other()), Attempt::owner_died);
  EXPECT_EQ(lock->try_acquire(other()), Attempt::acquired);
  EXPECT_TRUE(lock->release_once(mine())) << "any thread may release it";
  EXPECT_FALSE(lock->release_once(mine()));
  lock->release();
}

TEST(Lock, RecursiveLockBelongsToItsOwner) {
  auto* lock = make<SharedLock>(true);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(lock->try_acquire(mine()), Attempt::acquired);
  EXPECT_FALSE(lock->release_once(other()));
  EXPECT_EQ(lock->release_all(other()), 0u);
  EXPECT_EQ(lock->release_all(mine()), 3u);
  EXPECT_EQ(lock->try_acquire(mine()), Attempt::acquired);
  lock->restore(3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(lock->release_once(mine()));
  EXPECT_FALSE(lock->release_once(mine()));
  lock->release();
}

TEST(Lock, TimeoutIsNeverEarly) {
  const test::Watchdog watchdog("a lock that is held");
  auto* lock = make<SharedLock>(false);
  lock->try_acquire(mine());
  Request request = SharedLock::request_of(other());
  const Deadline deadline = Deadline::after(3'000'000);
  EXPECT_EQ(lock->wait(request, limits(deadline)), Status::timeout);
  EXPECT_TRUE(deadline.passed());
  EXPECT_FALSE(lock->has_waiters());
  lock->release();
}

TEST(Lock, InterruptedCallKeepsItsTicket) {
  auto* lock = make<SharedLock>(false);
  lock->try_acquire(mine());
  Request request = SharedLock::request_of(other());
  WaitLimits sliced = limits();
  sliced.slice = Deadline::after(1);
  EXPECT_EQ(lock->wait(request, sliced), Status::interrupted);
  const std::uint64_t ticket = request.ticket;
  EXPECT_NE(ticket, 0u);
  lock->release_once(mine());
  EXPECT_EQ(lock->wait(request, sliced), Status::ok);
  EXPECT_EQ(request.ticket, ticket);
  EXPECT_TRUE(lock->owned_by(other()));
  lock->release();
}

TEST(Lock, WithdrawnAdmissionGoesOn) {
  auto* lock = make<SharedLock>(false);
  Request request = SharedLock::request_of(mine());
  EXPECT_EQ(lock->wait(request, limits()), Status::ok);
  lock->withdraw(request);
  EXPECT_FALSE(lock->is_locked());
  lock->try_acquire(other());
  lock->owner_ended(2);
  EXPECT_EQ(lock->wait(request, limits()), Status::ok);
  EXPECT_EQ(static_cast<Attempt>(request.answer), Attempt::owner_died);
  lock->withdraw(request);
  EXPECT_EQ(lock->try_acquire(other()), Attempt::owner_died) << "the next call is told instead";
  lock->release();
}

TEST(Lock, ExcludesThreads) {
  const test::Watchdog watchdog("threads that exclude each other");
  auto* lock = make<SharedLock>(false);
  int guarded = 0;
  std::vector<std::thread> threads;
  const int rounds = test::rounds(5000);
  for (std::uint32_t unit = 1; unit <= 4; ++unit) {
    threads.emplace_back([&, unit] {
      const Token token = Token::of(3, unit);
      for (int i = 0; i < rounds; ++i) {
        if (lock->try_acquire(token) == Attempt::busy) {
          EXPECT_EQ(wait_for(*lock, token), Attempt::acquired);
        }
        ++guarded;
        lock->release_once(token);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(guarded, rounds * 4);
  lock->release();
}

TEST(Semaphore, KeepsItsUnits) {
  auto* semaphore = make<SharedSemaphore>(1);
  EXPECT_TRUE(semaphore->try_acquire());
  EXPECT_FALSE(semaphore->try_acquire());
  EXPECT_TRUE(semaphore->release_many(2));
  Request request;
  EXPECT_EQ(semaphore->wait(request, limits()), Status::ok);
  semaphore->withdraw(request);
  EXPECT_EQ(semaphore->value(), 2u);
  EXPECT_FALSE(semaphore->release_many(INT64_MAX - 1));
  EXPECT_FALSE(semaphore->release_many(UINT64_MAX));
  EXPECT_EQ(semaphore->value(), 2u);
  semaphore->release();
}

TEST(Event, RemembersThatItWasSet) {
  auto* event = make<SharedEvent>();
  Request request = event->request();
  EXPECT_EQ(event->wait(request, limits(Deadline::after(1))), Status::timeout);
  event->set();
  event->set();
  event->clear();
  EXPECT_FALSE(event->is_set());
  EXPECT_EQ(event->wait(request, limits()), Status::ok);
  Request later = event->request();
  EXPECT_EQ(event->wait(later, limits(Deadline::after(1))), Status::timeout);
  event->release();
}

TEST(Barrier, EndsARoundForAllOfItsCalls) {
  auto* barrier = make<SharedBarrier>(3, -1);
  WaitRecord records[4];
  EXPECT_EQ(barrier->enter(records[0]), Outcome::waiting);
  EXPECT_EQ(barrier->enter(records[1]), Outcome::waiting);
  EXPECT_EQ(barrier->arrived(), 2u);
  EXPECT_EQ(barrier->enter(records[2]), Outcome::passed);
  EXPECT_EQ(barrier->enter(records[3]), Outcome::waiting) << "the next round has begun";
  for (unsigned i = 0; i < 3; ++i) {
    EXPECT_EQ(barrier->leave(records[i], false), Outcome::passed);
    EXPECT_EQ(records[i].index, i);
  }
  EXPECT_EQ(barrier->leave(records[3], true), Outcome::broken);
  EXPECT_TRUE(barrier->is_broken());
  EXPECT_EQ(barrier->arrived(), 0u);
  WaitRecord late;
  EXPECT_EQ(barrier->enter(late), Outcome::broken);
  barrier->reset();
  EXPECT_FALSE(barrier->is_broken());
  barrier->release();
}

TEST(Condition, NotifiesTheOldestAndPassesOn) {
  auto* lock = make<SharedLock>(false);
  auto* condition = make<SharedCondition>(*lock);
  WaitRecord records[4];
  for (WaitRecord& record : records) condition->enter(record);
  EXPECT_EQ(condition->leave(records[0], true), Outcome::broken) << "it times out";
  condition->notify(1);
  EXPECT_EQ(condition->leave(records[1], false), Outcome::broken) << "it raises, and passes its notification on";
  EXPECT_EQ(condition->leave(records[1], false), Outcome::broken) << "once";
  EXPECT_EQ(condition->leave(records[2], true), Outcome::passed);
  EXPECT_EQ(condition->leave(records[3], true), Outcome::broken);
  condition->release();
}

TEST(StateObjects, ListsFindsAndForgets) {
  const std::uint64_t before = StateObjects::count();
  auto* event = make<SharedEvent>();
  const std::uint64_t number = event->number();
  EXPECT_EQ(StateObjects::count(), before + 1);
  StateObject* found = StateObjects::find(number);
  ASSERT_EQ(found, event);
  event->release();
  found->release();
  EXPECT_EQ(StateObjects::find(number), nullptr);
  EXPECT_EQ(StateObjects::count(), before);
}

}  // namespace
}  // namespace xichan::internal
