// Lock, RLock and Condition.
#include <chrono>
#include <mutex>
#include <stop_token>

#include "directory/names.h"
#include "endpoint/endpoint.h"
#include "public/state_support.h"
#include "state/lock.h"

namespace xichan {
namespace {

using namespace std::chrono_literals;

class PublicLock : public test::StateTest {
 protected:
  void SetUp() override {
    StateTest::SetUp();
    ASSERT_EQ(Lock::make(lock, "lock"), Status::ok);
    ASSERT_EQ(RLock::make(rlock, "rlock"), Status::ok);
  }
  void TearDown() override {
    lock.close();
    rlock.close();
    StateTest::TearDown();
  }

  // Acquires a lock on behalf of an interpreter, which then ends.
  static void abandon(const LockBase& of) {
    internal::EndpointOwner interpreter;
    internal::StateObject* const object = internal::Names::find(of.name()).object;
    static_cast<internal::SharedLock*>(object)->try_acquire(internal::Token::of(interpreter.number, 1));
    EXPECT_TRUE(of.locked());
    interpreter.release_all();
    object->release();
  }

  Lock lock;
  RLock rlock;
};

template <class Call>
Status on_other_thread(Call call) {
  Status status = Status::invalid;
  std::thread([&] { status = call(); }).join();
  return status;
}

TEST_F(PublicLock, IsHeldByOneCaller) {
  EXPECT_EQ(lock.acquire(), Status::ok);
  EXPECT_TRUE(lock.locked());
  EXPECT_EQ(lock.acquire(0s), Status::timeout);
  EXPECT_EQ(lock.acquire(1ms), Status::timeout);
  EXPECT_EQ(on_other_thread([&] { return lock.release(); }), Status::ok) << "any thread may release it";
  EXPECT_FALSE(lock.locked());
  EXPECT_EQ(lock.release(), Status::invalid);
  EXPECT_EQ(lock.acquire(), Status::ok);
  const auto release = [&] { EXPECT_EQ(lock.release(), Status::ok); };
  EXPECT_EQ(waited(lock, [&] { return lock.acquire(); }, release), Status::ok);
  EXPECT_TRUE(lock.locked());
}

TEST_F(PublicLock, RLockBelongsToItsThread) {
  EXPECT_EQ(rlock.acquire(), Status::ok);
  EXPECT_EQ(rlock.acquire(0s), Status::ok);
  EXPECT_EQ(on_other_thread([&] { return rlock.acquire(0s); }), Status::timeout);
  EXPECT_EQ(on_other_thread([&] { return rlock.release(); }), Status::invalid);
  EXPECT_EQ(rlock.release(), Status::ok);
  EXPECT_TRUE(rlock.locked());
  EXPECT_EQ(rlock.release(), Status::ok);
  EXPECT_FALSE(rlock.locked());
  EXPECT_EQ(rlock.release(), Status::invalid);
}

TEST_F(PublicLock, StandardGuardsTakeIt) {
  {
    const std::lock_guard guard(lock);
    EXPECT_TRUE(lock.locked());
    EXPECT_FALSE(lock.try_lock());
  }
  EXPECT_FALSE(lock.locked());
  {
    const std::scoped_lock guard(lock, rlock);
    EXPECT_TRUE(lock.locked() && rlock.locked());
    EXPECT_TRUE(rlock.try_lock());
    rlock.unlock();
    std::unique_lock timed(lock, 1ms);
    EXPECT_FALSE(timed);
    EXPECT_FALSE(timed.try_lock_until(std::chrono::steady_clock::now()));
  }
  std::unique_lock later(lock, std::defer_lock);
  EXPECT_TRUE(later.try_lock_for(1h));
}

TEST_F(PublicLock, ThreadsExcludeEachOther) {
  const test::Watchdog watchdog("threads that exclude each other");
  const int rounds = test::rounds(2'000);
  int count = 0;
  test::together(4, [&](unsigned) {
    for (int i = 0; i < rounds; ++i) {
      const std::lock_guard guard(rlock);
      const std::lock_guard again(rlock);
      ++count;
    }
  });
  EXPECT_EQ(count, 4 * rounds);
}

TEST_F(PublicLock, StopEndsAcquire) {
  ASSERT_EQ(lock.acquire(), Status::ok);
  std::stop_source source;
  const auto stop = [&] { source.request_stop(); };
  EXPECT_EQ(waited(lock, [&] { return lock.acquire(source.get_token()); }, stop), Status::cancelled);
  EXPECT_EQ(lock.acquire(source.get_token(), 1h), Status::cancelled);
  EXPECT_EQ(lock.acquire(std::stop_token(), 0s), Status::timeout);
  EXPECT_EQ(lock.release(), Status::ok);
  EXPECT_EQ(lock.acquire(std::stop_token(), 0s), Status::ok);
}

TEST_F(PublicLock, DeathOfOwnerIsReportedOnce) {
  for (LockBase* one : {static_cast<LockBase*>(&lock), static_cast<LockBase*>(&rlock)}) {
    abandon(*one);
    EXPECT_EQ(one->acquire(), Status::owner_died);
    EXPECT_FALSE(one->locked()) << "it is not held then";
    EXPECT_EQ(one->acquire(), Status::ok);
    EXPECT_EQ(one->release(), Status::ok);
    abandon(*one);
    try {
      const std::lock_guard guard(*one);
      ADD_FAILURE() << "the death of the owner was ignored";
    } catch (const std::system_error& error) {
      EXPECT_TRUE(error.code() == std::errc::owner_dead);
    }
    EXPECT_FALSE(one->locked());
    abandon(*one);
    EXPECT_THROW((void)one->try_lock(), std::system_error);
    EXPECT_TRUE(one->try_lock());
    one->unlock();
  }
}

class PublicCondition : public PublicLock {
 protected:
  void SetUp() override {
    PublicLock::SetUp();
    ASSERT_EQ(Condition::make(condition), Status::ok);
  }
  void TearDown() override {
    condition.close();
    PublicLock::TearDown();
  }

  Condition condition;
  bool ready = false;
};

TEST_F(PublicCondition, WaitNeedsTheLock) {
  EXPECT_EQ(condition.wait(), Status::invalid);
  EXPECT_EQ(condition.notify(), Status::invalid);
  EXPECT_EQ(condition.notify_all(), Status::invalid);
  ASSERT_EQ(condition.acquire(), Status::ok);
  EXPECT_TRUE(condition.locked());
  EXPECT_EQ(on_other_thread([&] { return condition.notify(); }), Status::invalid);
  EXPECT_EQ(on_other_thread([&] { return condition.wait(); }), Status::invalid);
  EXPECT_EQ(condition.wait(1ms), Status::timeout);
  EXPECT_EQ(condition.notify(), Status::ok) << "the lock is held again";
  EXPECT_EQ(condition.release(), Status::ok);
}

TEST_F(PublicCondition, LockIsSharedAndOpened) {
  RLock of_condition;
  Lock wrong;
  EXPECT_EQ(condition.open_lock(of_condition), Status::ok);
  EXPECT_EQ(condition.open_lock(wrong), Status::not_found);
  const std::lock_guard guard(of_condition);
  EXPECT_TRUE(condition.locked());
  Condition one, two;
  ASSERT_EQ(Condition::make(lock, one), Status::ok);
  ASSERT_EQ(Condition::make(rlock, two, "two"), Status::ok);
  Lock opened;
  EXPECT_EQ(one.open_lock(opened), Status::ok);
  EXPECT_TRUE(opened == lock);
  RLock recursive;
  EXPECT_EQ(two.open_lock(recursive), Status::ok);
  EXPECT_TRUE(recursive == rlock);
  EXPECT_EQ(Condition::make(lock, one, "two"), Status::name_taken);
}

TEST_F(PublicCondition, NotificationWakesTheOldestCall) {
  const test::Watchdog watchdog("notified calls");
  int woken = 0;
  const auto wait = [&] {
    const std::lock_guard guard(condition);
    EXPECT_EQ(condition.wait(), Status::ok);
    ++woken;
  };
  std::vector<std::thread> threads;
  for (unsigned i = 1; i <= 3; ++i) {
    threads.emplace_back(wait);
    test::await([&] { return condition.waiting() == i; });
  }
  const auto woken_after = [&](std::uint64_t n, int expected) {
    {
      const std::lock_guard guard(condition);
      EXPECT_EQ(condition.notify(n), Status::ok);
    }
    test::await([&] {
      const std::lock_guard guard(condition);
      return woken == expected;
    });
  };
  woken_after(1, 1);
  woken_after(UINT64_MAX, 3);
  for (std::thread& thread : threads) thread.join();
  ASSERT_EQ(condition.acquire(), Status::ok);
  EXPECT_EQ(condition.wait(0s), Status::timeout) << "a notification without waiters is not kept";
  EXPECT_EQ(condition.release(), Status::ok);
}

TEST_F(PublicCondition, WaitReleasesALockThatIsHeldSeveralTimes) {
  const auto wait = [&] {
    const std::lock_guard outer(condition);
    const std::lock_guard inner(condition);
    const Status status = condition.wait_for([&] { return ready; });
    EXPECT_EQ(condition.release(), Status::ok);
    EXPECT_TRUE(condition.locked());
    EXPECT_EQ(condition.acquire(), Status::ok);
    return status;
  };
  EXPECT_EQ(waited(condition, wait,
                   [&] {
                     const std::lock_guard guard(condition);
                     ready = true;
                     EXPECT_EQ(condition.notify_all(), Status::ok);
                   }),
            Status::ok);
  EXPECT_FALSE(condition.locked());
}

TEST_F(PublicCondition, WaitForEndsByTimeAndStop) {
  const std::lock_guard guard(condition);
  int calls = 0;
  EXPECT_EQ(condition.wait_for([&] { return ++calls == 1; }), Status::ok);
  EXPECT_EQ(condition.wait_for([&] { return false; }, 1ms), Status::timeout);
  calls = 0;
  EXPECT_EQ(condition.wait_for([&] { return ++calls == 2; }, 1ms), Status::ok) << "true after the timeout";
  std::stop_source source;
  std::thread stopper([&] {
    test::await([&] { return condition.waiting() == 1; });
    source.request_stop();
  });
  EXPECT_EQ(condition.wait_for([] { return false; }, source.get_token()), Status::cancelled);
  stopper.join();
  EXPECT_TRUE(condition.locked());
  EXPECT_EQ(condition.wait(source.get_token()), Status::cancelled);
  EXPECT_EQ(condition.wait_for([] { return false; }, source.get_token(), 1h), Status::cancelled);
}

TEST_F(PublicCondition, DeathOfOwnerDuringWaitIsReportedWithTheLockHeld) {
  Condition with_lock;
  ASSERT_EQ(Condition::make(lock, with_lock), Status::ok);
  const auto wait = [&] {
    EXPECT_EQ(with_lock.acquire(), Status::ok);
    const Status status = with_lock.wait();
    EXPECT_TRUE(lock.locked());
    EXPECT_EQ(with_lock.release(), Status::ok);
    return status;
  };
  const auto notify_and_die = [&] {
    internal::EndpointOwner interpreter;
    internal::StateObject* const object = internal::Names::find("lock").object;
    static_cast<internal::SharedLock*>(object)->try_acquire(internal::Token::of(interpreter.number, 1));
    EXPECT_EQ(with_lock.notify(), Status::ok);
    test::await([&] { return lock.waiting() == 1; });
    interpreter.release_all();
    object->release();
  };
  EXPECT_EQ(waited(with_lock, wait, notify_and_die), Status::owner_died);
}

}  // namespace
}  // namespace xichan
