// futex_wait and futex_wake: sleeping, timeouts, wake-ups and signals.
#include "sync/futex.h"

#include <signal.h>

#include "support/support.h"

namespace xichan::internal {
namespace {

TEST(Futex, DoesNotSleepIfWordHasChanged) {
  atomic<std::uint32_t> word{1};
  EXPECT_EQ(futex_wait(word, 0, Deadline::never()), WaitResult::woken);
}

TEST(Futex, NeverTimesOutEarly) {
  atomic<std::uint32_t> word{0};
  for (const std::int64_t wait : {0, 1'000, 100'000, 5'000'000, 30'000'000}) {
    const std::int64_t start = Deadline::now();
    EXPECT_EQ(futex_wait(word, 0, Deadline::after(wait)), WaitResult::timed_out);
    EXPECT_GE(Deadline::now() - start, wait);
  }
}

TEST(Futex, PastDeadlineTimesOutImmediately) {
  atomic<std::uint32_t> word{0};
  for (const std::int64_t when : {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1}, std::int64_t{-2'000'000'000}}) {
    EXPECT_EQ(futex_wait(word, 0, Deadline::at(when)), WaitResult::timed_out) << when;
  }
}

TEST(Futex, FarDeadlineIsAccepted) {
  const test::Watchdog watchdog("a far deadline");
  atomic<std::uint32_t> word{0};
  std::thread waiter([&] {
    while (word.load() == 0) EXPECT_EQ(futex_wait(word, 0, Deadline::at(INT64_MAX - 1)), WaitResult::woken);
  });
  word.store(1);
  futex_wake(&word);
  waiter.join();
}

TEST(Futex, WakeEndsSleep) {
  const test::Watchdog watchdog("ping-pong over a futex");
  atomic<std::uint32_t> word{0};
  const auto rounds = static_cast<std::uint32_t>(test::rounds(20'000));
  test::together(2, [&](unsigned thread) {
    for (std::uint32_t i = thread; i < rounds; i += 2) {  // thread 0 waits for even values, thread 1 for odd ones
      std::uint32_t seen;
      while ((seen = word.load()) != i) EXPECT_EQ(futex_wait(word, seen, Deadline::never()), WaitResult::woken);
      word.store(i + 1);
      futex_wake(&word);
    }
  });
  EXPECT_EQ(word.load(), rounds);
}

TEST(Futex, WakesOneSleeperAtATime) {
  const test::Watchdog watchdog("one sleeper at a time");
  atomic<std::uint32_t> word{0};
  std::atomic<int> awake{0};
  std::vector<std::thread> sleepers;
  for (int i = 0; i < 3; ++i) {
    sleepers.emplace_back([&] {
      while (word.load() == 0) (void)futex_wait(word, 0, Deadline::never());
      ++awake;
    });
  }
  word.store(1);
  test::await([&] {
    futex_wake(&word);  // each call wakes at most one
    return awake.load() == 3;
  });
  for (std::thread& sleeper : sleepers) sleeper.join();
}

TEST(Futex, WakeWithoutSleeperIsNotStored) {
  atomic<std::uint32_t> word{0};
  futex_wake(&word);
  EXPECT_EQ(futex_wait(word, 0, Deadline::after(1'000'000)), WaitResult::timed_out) << "an early wake-up is not stored";
}

TEST(Futex, SignalInterruptsSleep) {
  const test::Watchdog watchdog("a signal");
  struct sigaction action{};
  struct sigaction before{};
  action.sa_handler = [](int) {};
  ASSERT_EQ(sigaction(SIGUSR1, &action, &before), 0);
  atomic<std::uint32_t> word{0};
  std::atomic<bool> done{false};
  std::thread sleeper([&] {
    EXPECT_EQ(futex_wait(word, 0, Deadline::never()), WaitResult::interrupted);
    done.store(true);
  });
  test::await([&] {  // a signal before the sleep interrupts nothing, so keep sending
    pthread_kill(sleeper.native_handle(), SIGUSR1);
    return done.load();
  });
  sleeper.join();
  sigaction(SIGUSR1, &before, nullptr);
}

}  // namespace
}  // namespace xichan::internal
