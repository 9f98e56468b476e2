// The gate that returning threads pass; tests/model/test_return_gate.py searches its schedules.
#include "sync/return_gate.h"

#include "support/support.h"

namespace xichan::internal {
namespace {

constexpr std::int64_t far = 60'000'000'000;

TEST(ReturnGate, OpenGateLetsThreadsPass) {
  ReturnGate gate;
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(gate.enter());
  for (int i = 0; i < 2; ++i) gate.leave();
  gate.close(Deadline::after(far));  // no thread is inside: does not block
}

TEST(ReturnGate, ThreadThatClosedTheGatePasses) {
  ReturnGate gate;
  gate.close(Deadline::never());
  EXPECT_TRUE(gate.enter());
  gate.leave();
  EXPECT_TRUE(gate.open());
  EXPECT_FALSE(gate.open()) << "it was open already";
}

TEST(ReturnGate, CloseWaitsForReturningThread) {
  const test::Watchdog watchdog("a thread that returns");
  ReturnGate gate;
  std::atomic<int> returned{0};
  ASSERT_TRUE(gate.enter());
  std::thread ending([&] {
    gate.close(Deadline::never());
    EXPECT_EQ(returned.load(), 1);
  });
  test::Backoff().pause();
  returned = 1;
  gate.leave();
  ending.join();
}

TEST(ReturnGate, CloseGivesUpAtItsDeadline) {
  const test::Watchdog watchdog("a thread that never returns");
  ReturnGate gate;
  ASSERT_TRUE(gate.enter());
  gate.close(Deadline::after(1'000'000));
}

TEST(ReturnGate, ClosedGateBlocksOtherThreadsUntilItOpens) {
  const test::Watchdog watchdog("a gate that opens");
  ReturnGate gate;
  gate.close(Deadline::never());
  std::atomic<bool> opened{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      EXPECT_TRUE(gate.enter());
      EXPECT_TRUE(opened.load());
      gate.leave();
    });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  opened = true;
  gate.open();
  for (std::thread& thread : threads) thread.join();
}

TEST(ReturnGate, EndedGateRefusesThreads) {
  const test::Watchdog watchdog("a gate that ends");
  ReturnGate gate;
  gate.close(Deadline::never());
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] { EXPECT_FALSE(gate.enter()); });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  gate.end();
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(gate.enter()) << "also the thread that closed it";
}

TEST(ReturnGate, NoThreadIsInsideOnceCloseHasReturned) {
  const test::Watchdog watchdog("returning threads against an end");
  for (int round = 0; round < test::rounds(500); ++round) {
    ReturnGate gate;
    std::atomic<bool> freed{false};
    test::together(3, [&](unsigned thread) {
      if (thread == 0) {
        gate.close(Deadline::never());
        freed = true;
        gate.end();
        return;
      }
      for (int i = 0; i < 10 && gate.enter(); ++i) {
        EXPECT_FALSE(freed.load());
        gate.leave();
      }
    });
  }
}

}  // namespace
}  // namespace xichan::internal
