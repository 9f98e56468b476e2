// ThreadWaiter: decided once, woken once, never early.
#include <signal.h>

#include <memory>

#include "support/support.h"
#include "sync/thread_waiter.h"
#include "sync/wait_list.h"

namespace xichan::internal {
namespace {

TEST(ThreadWaiter, IsDecidedOnce) {
  WaitNode node;
  ThreadWaiter waiter;
  EXPECT_FALSE(waiter.is_decided());
  Wake wake;
  EXPECT_TRUE(waiter.notify(node, wake));
  EXPECT_NE(wake.word, nullptr);
  EXPECT_TRUE(waiter.was_notified());
  Wake other;
  EXPECT_FALSE(waiter.notify(node, other));
  EXPECT_FALSE(waiter.cancel(node, other));
  EXPECT_EQ(other.word, nullptr);
  EXPECT_TRUE(waiter.was_notified());

  std::construct_at(&waiter);  // waiting again
  EXPECT_FALSE(waiter.is_decided());
  EXPECT_TRUE(waiter.cancel(node, wake));
  EXPECT_TRUE(waiter.was_cancelled());
  EXPECT_FALSE(waiter.notify(node, other));
}

TEST(ThreadWaiter, DoesNotSleepWhenDecided) {
  WaitNode node;
  ThreadWaiter waiter;
  Wake wake;
  ASSERT_TRUE(waiter.notify(node, wake));
  EXPECT_EQ(waiter.park(Deadline::never()), WaitResult::woken);
  std::construct_at(&waiter);  // waiting again
  ASSERT_TRUE(waiter.cancel(node, wake));
  EXPECT_EQ(waiter.park(Deadline::at(0)), WaitResult::woken) << "a decision takes precedence over the deadline";
}

TEST(ThreadWaiter, NeverTimesOutEarlyOrWakesSpuriously) {
  const test::Watchdog watchdog("a parked thread and foreign wake-ups");
  std::atomic<bool> done{false};
  WaitNode node;
  ThreadWaiter waiter;
  Wake wake;
  ASSERT_TRUE(waiter.notify(node, wake));  // to learn its address
  std::construct_at(&waiter);              // waiting again
  std::thread noise([&] {
    while (!done.load()) futex_wake(wake.word);
  });
  for (const std::int64_t wait : {0, 1'000, 1'000'000, 20'000'000}) {
    const std::int64_t start = Deadline::now();
    EXPECT_EQ(waiter.park(Deadline::after(wait)), WaitResult::timed_out);
    EXPECT_GE(Deadline::now() - start, wait);
  }
  done.store(true);
  noise.join();
}

TEST(ThreadWaiter, SignalInterruptsPark) {
  const test::Watchdog watchdog("a signal to a parked thread");
  struct sigaction action{};
  struct sigaction before{};
  action.sa_handler = [](int) {};
  ASSERT_EQ(sigaction(SIGUSR1, &action, &before), 0);
  std::atomic<bool> done{false};
  std::thread sleeper([&] {
    ThreadWaiter waiter;
    EXPECT_EQ(waiter.park(Deadline::never()), WaitResult::interrupted);
    done.store(true);
  });
  test::await([&] {
    pthread_kill(sleeper.native_handle(), SIGUSR1);
    return done.load();
  });
  sleeper.join();
  sigaction(SIGUSR1, &before, nullptr);
}

// Each token wakes exactly one thread, however tokens, timeouts and registrations interleave.
TEST(ThreadWaiter, TokensAreConserved) {
  const test::Watchdog watchdog("tokens");
  constexpr int waiters = 3;
  const int tokens = 20'000 * test::stress_factor();
  Mutex lock;
  WaitList list{lock};
  std::atomic<int> received{0};
  std::atomic<bool> done{false};
  test::together(waiters + 1, [&](unsigned thread) {
    if (thread == 0) {
      for (int i = 0; i < tokens; ++i) {
        test::await([&] { return list.waiting() > 0; });
        list.notify_one();
        test::await([&] { return received.load() > i || list.waiting() > 0; });
      }
      done.store(true);
      return;
    }
    while (!done.load()) {
      ThreadWaiter waiter;
      WaitNode node{.waiter = &waiter, .owner = nullptr};
      list.add(node);
      (void)waiter.park(Deadline::after(thread == 1 ? 5'000 : 2'000'000));
      const bool removed = list.remove(node);
      EXPECT_EQ(removed, !waiter.is_decided()) << "a waiter that was not notified unlinks itself";
      if (!removed) ++received;
    }
  });
  EXPECT_EQ(list.waiting(), 0u);
  EXPECT_LE(received.load(), tokens);
  EXPECT_GT(received.load(), 0);
}

}  // namespace
}  // namespace xichan::internal
