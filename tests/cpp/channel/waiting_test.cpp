// The ways in which a blocked call fails: timeout, interrupted slice, closed endpoint. None sends or receives.
#include "channel/channel_support.h"

namespace xichan::internal {
namespace {

using test::Caller;
using test::new_channel;

class Waiting : public test::ChannelTest {
 protected:
  void SetUp() override {
    channel = new_channel(1);
    full = new_channel(1);
    ASSERT_EQ(full->try_send(Cell::integer(1), lane), Status::ok);
  }
  void TearDown() override {
    for (Channel* c : {channel, full}) {
      for (const Side side : test::both_sides) EXPECT_EQ(c->waiting(side), 0u);
      test::drop_both(c);
    }
    ChannelTest::TearDown();
  }

  // A call that cannot succeed, on either side.
  Status blocked(Side side, const WaitRound& round) {
    Cell cell;
    return side == Side::sender ? wait_send(*full, Cell::integer(2), round) : wait_recv(*channel, cell, round);
  }
  Channel& blocking(Side side) { return side == Side::sender ? *full : *channel; }

  Channel* channel;  // empty
  Channel* full;
  Caller caller;
};

TEST_F(Waiting, TimeoutsAreNeverEarly) {
  for (const Side side : test::both_sides) {
    for (const std::int64_t wait : {0, 1, 1'000, 10'000, 100'000, 1'000'000, 30'000'000}) {
      const std::int64_t start = Deadline::now();
      EXPECT_EQ(blocked(side, caller.round(Deadline::after(wait))), Status::timeout);
      EXPECT_GE(Deadline::now() - start, wait);
    }
  }
  EXPECT_EQ(full->size(), 1u) << "a timed-out send has sent nothing";
}

TEST_F(Waiting, PastDeadlineStillTriesOnce) {
  EXPECT_EQ(wait_send(*channel, Cell::integer(9), caller.round(Deadline::at(0))), Status::ok);
  Cell cell;
  EXPECT_EQ(wait_recv(*channel, cell, caller.round(Deadline::at(0))), Status::ok);
  EXPECT_EQ(cell.as_integer(), 9);
  for (const Side side : test::both_sides) EXPECT_EQ(blocked(side, caller.round(Deadline::at(0))), Status::timeout);
}

TEST_F(Waiting, ClosedTakesPrecedenceOverTimeout) {
  channel->shutdown(false);
  full->shutdown(false);
  for (const Side side : test::both_sides) EXPECT_EQ(blocked(side, caller.round(Deadline::at(0))), Status::closed);
}

TEST_F(Waiting, SliceInterruptsAndReceivesNothing) {
  for (const Side side : test::both_sides) {
    for (const std::int64_t wait : {0, 1'000, 10'000'000}) {
      const std::int64_t start = Deadline::now();
      EXPECT_EQ(blocked(side, caller.round(Deadline::never(), Deadline::after(wait))), Status::interrupted);
      EXPECT_GE(Deadline::now() - start, wait);
    }
    EXPECT_EQ(blocked(side, caller.round(Deadline::at(0), Deadline::at(0))), Status::timeout)
        << "the deadline counts more";
  }
  EXPECT_EQ(full->size(), 1u);
}

TEST_F(Waiting, SlicedCallSucceedsEventually) {
  const test::Watchdog watchdog("slices");
  std::atomic<int> slices{0};
  std::thread receiver([&] {
    Cell cell;
    Status status;
    while ((status = wait_recv(*channel, cell, caller.round(Deadline::never(), Deadline::after(100'000)))) ==
           Status::interrupted) {
      ++slices;
    }
    EXPECT_EQ(status, Status::ok);
    EXPECT_EQ(cell.as_integer(), 3);
  });
  test::await([&] { return slices.load() > 3; });
  EXPECT_EQ(channel->try_send(Cell::integer(3), lane), Status::ok);
  receiver.join();
  EXPECT_EQ(channel->size(), 0u);
}

TEST_F(Waiting, ClosedEndpointEndsItsCalls) {
  const test::Watchdog watchdog("cancelled calls");
  for (const Side side : test::both_sides) {
    Caller mine;
    std::vector<std::thread> calls;
    for (int i = 0; i < 3; ++i) {
      calls.emplace_back([&] { EXPECT_EQ(blocked(side, mine.round()), Status::end_closed); });
    }
    std::thread other([&] { EXPECT_EQ(blocked(side, caller.round()), Status::ok); });
    test::await([&] { return blocking(side).waiting(side) == 4; });
    mine.close(blocking(side), side);
    for (std::thread& call : calls) call.join();
    EXPECT_EQ(blocking(side).waiting(side), 1u) << "the other caller waits on";
    Cell cell;
    EXPECT_EQ(side == Side::sender ? full->try_recv(cell, lane) : channel->try_send(Cell::none(), lane), Status::ok);
    other.join();
  }
}

TEST_F(Waiting, CallOfClosedEndpointDoesNotSleep) {
  caller.closed.store(true);
  for (const Side side : test::both_sides) EXPECT_EQ(blocked(side, caller.round()), Status::end_closed);
}

TEST_F(Waiting, CloseRacingCallIsNotMissed) {
  const test::Watchdog watchdog("close against the begin of a call");
  for (int round = 0; round < test::rounds(5'000); ++round) {
    const Side side = test::both_sides[round % 2];
    Caller mine;
    test::together(2, [&](unsigned thread) {
      if (thread == 0) {
        EXPECT_EQ(blocked(side, mine.round()), Status::end_closed);
      } else {
        mine.close(blocking(side), side);
      }
    });
  }
}

// A receiver that is cancelled or times out passes its token on.
TEST_F(Waiting, CallThatLeavesPassesTokenOn) {
  const test::Watchdog watchdog("tokens of calls that leave");
  const int rounds = test::rounds(3'000);
  for (int round = 0; round < rounds; ++round) {
    Caller leaver;
    std::atomic<int> leaver_took{-1};
    test::together(3, [&](unsigned thread) {
      Cell cell;
      if (thread == 0) {  // stays until it has a message
        EXPECT_EQ(wait_recv(*channel, cell, caller.round()), Status::ok);
      } else if (thread == 1) {
        const WaitRound how = round % 2 ? leaver.round() : leaver.round(Deadline::after(20'000));
        leaver_took.store(wait_recv(*channel, cell, how) == Status::ok);
      } else {
        ASSERT_EQ(channel->try_send(Cell::none(), lane), Status::ok);
        if (round % 2) leaver.close(*channel, Side::receiver);
        test::await([&] { return leaver_took.load() >= 0; });
        if (leaver_took.load() == 1) {
          EXPECT_EQ(channel->try_send(Cell::none(), lane), Status::ok);
        }
      }
    });
    ASSERT_EQ(channel->size(), 0u);
  }
}

TEST_F(Waiting, EachOfManyWaitersGetsOneMessage) {
  const test::Watchdog watchdog("many waiters");
  constexpr unsigned waiters = 8;
  for (int round = 0; round < test::rounds(300); ++round) {
    Channel* wide = new_channel(waiters);
    std::vector<std::thread> receivers;
    for (unsigned i = 0; i < waiters; ++i) {
      receivers.emplace_back([&] {
        Cell cell;
        EXPECT_EQ(wait_recv(*wide, cell, caller.round()), Status::ok);
      });
    }
    for (unsigned i = 0; i < waiters; ++i) EXPECT_EQ(wide->try_send(Cell::none(), lane), Status::ok);
    for (std::thread& receiver : receivers) receiver.join();
    EXPECT_EQ(wide->size(), 0u);
    test::drop_both(wide);
  }
}

}  // namespace
}  // namespace xichan::internal
