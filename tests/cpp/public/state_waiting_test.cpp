// Semaphore, Event and Barrier.
#include <chrono>
#include <stop_token>

#include "public/state_support.h"

namespace xichan {
namespace {

using namespace std::chrono_literals;
using PublicSemaphore = test::StateTest;
using PublicEvent = test::StateTest;
using PublicBarrier = test::StateTest;

TEST_F(PublicSemaphore, BlocksAtZero) {
  Semaphore semaphore;
  EXPECT_EQ(Semaphore::make(std::uint64_t{1} << 63, semaphore), Status::too_large);
  ASSERT_EQ(Semaphore::make(2, semaphore), Status::ok);
  EXPECT_EQ(semaphore.acquire(), Status::ok);
  EXPECT_EQ(semaphore.acquire(0s), Status::ok);
  EXPECT_EQ(semaphore.acquire(0s), Status::timeout);
  EXPECT_EQ(semaphore.acquire(1ms), Status::timeout);
  const auto release = [&] { EXPECT_EQ(semaphore.release(3), Status::ok); };
  EXPECT_EQ(waited(semaphore, [&] { return semaphore.acquire(); }, release), Status::ok);
  EXPECT_EQ(semaphore.value(), 2u);
  EXPECT_EQ(semaphore.release(INT64_MAX), Status::too_large);
  EXPECT_EQ(semaphore.value(), 2u);
  std::stop_source source;
  EXPECT_EQ(semaphore.acquire(source.get_token()), Status::ok);
  EXPECT_EQ(semaphore.acquire(source.get_token(), 1h), Status::ok);
  const auto stop = [&] { source.request_stop(); };
  EXPECT_EQ(waited(semaphore, [&] { return semaphore.acquire(source.get_token()); }, stop), Status::cancelled);
  EXPECT_EQ(semaphore.release(), Status::ok);
  EXPECT_EQ(semaphore.value(), 1u) << "a cancelled call takes nothing";
}

TEST_F(PublicEvent, WakesAllCalls) {
  Event event;
  ASSERT_EQ(Event::make(event), Status::ok);
  EXPECT_FALSE(event.is_set());
  EXPECT_EQ(event.wait(1ms), Status::timeout);
  std::stop_source source;
  std::thread other([&] { EXPECT_EQ(event.wait(source.get_token()), Status::ok); });
  const auto set = [&] {
    event.set();
    event.clear();
  };
  EXPECT_EQ(waited(event, [&] { return event.wait(); }, set, 2), Status::ok);
  other.join();
  EXPECT_FALSE(event.is_set());
  const auto stop = [&] { source.request_stop(); };
  EXPECT_EQ(waited(event, [&] { return event.wait(source.get_token()); }, stop), Status::cancelled);
  event.set();
  event.set();
  EXPECT_TRUE(event.is_set());
  EXPECT_EQ(event.wait(), Status::ok);
  EXPECT_EQ(event.wait(source.get_token(), 1h), Status::cancelled) << "a stop takes precedence";
}

TEST_F(PublicBarrier, RoundsPassWithNumberedCalls) {
  const test::Watchdog watchdog("rounds of a barrier");
  Barrier barrier;
  EXPECT_EQ(Barrier::make(0, barrier), Status::invalid);
  ASSERT_EQ(Barrier::make(4, barrier, 1h), Status::ok);
  EXPECT_EQ(barrier.parties(), 4u);
  std::atomic<std::uint64_t> sum{0};
  const int rounds = test::rounds(500);
  test::together(4, [&](unsigned thread) {
    for (int i = 0; i < rounds; ++i) {
      std::uint64_t index = 100;
      EXPECT_EQ(thread == 0 ? barrier.wait(index, std::stop_token()) : barrier.wait(index), Status::ok);
      sum += index;
    }
  });
  EXPECT_EQ(sum, 6u * static_cast<unsigned>(rounds)) << "0 + 1 + 2 + 3 in each round";
  EXPECT_EQ(barrier.arrived(), 0u);
}

TEST_F(PublicBarrier, CallThatEndsEarlyBreaksIt) {
  Barrier barrier;
  ASSERT_EQ(Barrier::make(3, barrier, 1ms), Status::ok);
  std::uint64_t index = 100;
  EXPECT_EQ(barrier.wait(), Status::timeout) << "the limit of the barrier counts";
  EXPECT_TRUE(barrier.broken());
  EXPECT_EQ(barrier.wait(index, 1h), Status::broken);
  EXPECT_EQ(index, 100u) << "unchanged";
  barrier.reset();
  EXPECT_FALSE(barrier.broken());
  std::stop_source source;
  std::thread other([&] { EXPECT_EQ(barrier.wait(1h), Status::broken); });
  const auto stop = [&] {
    EXPECT_EQ(barrier.arrived(), 2u);
    source.request_stop();
  };
  EXPECT_EQ(waited(barrier, [&] { return barrier.wait(index, source.get_token(), 1h); }, stop, 2), Status::cancelled);
  other.join();
  EXPECT_TRUE(barrier.broken());
  barrier.reset();
  EXPECT_EQ(waited(barrier, [&] { return barrier.wait(1h); }, [&] { barrier.reset(); }), Status::broken);
  EXPECT_FALSE(barrier.broken());
  EXPECT_EQ(waited(barrier, [&] { return barrier.wait(1h); }, [&] { barrier.abort(); }), Status::broken);
  EXPECT_TRUE(barrier.broken());
}

}  // namespace
}  // namespace xichan
