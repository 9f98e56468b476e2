// A rendezvous: a send completes exactly when a receiver has the value.
#include "channel/channel_support.h"
#include "directory/create_channel.h"

namespace xichan::internal {
namespace {

using test::Caller;

class Rendezvous : public test::ChannelTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(create_channel({.flavor = Flavor::rendezvous, .capacity = 0}, channel), Status::ok);
  }
  void TearDown() override {
    for (const Side side : test::both_sides) EXPECT_EQ(channel->waiting(side), 0u);
    test::drop_both(channel);
    ChannelTest::TearDown();
  }

  Channel* channel = nullptr;
  Caller caller;
};

TEST_F(Rendezvous, HoldsNothingWithoutPeer) {
  Cell cell;
  EXPECT_EQ(channel->try_send(Cell::none(), lane), Status::full);
  EXPECT_EQ(channel->try_recv(cell, lane), Status::empty);
  EXPECT_EQ(wait_send(*channel, Cell::none(), caller.round(Deadline::after(1'000'000))), Status::timeout);
  EXPECT_EQ(wait_recv(*channel, cell, caller.round(Deadline::after(1'000'000))), Status::timeout);
  EXPECT_EQ(channel->capacity(), 0u);
  EXPECT_EQ(channel->sent(), 0u);
}

TEST_F(Rendezvous, SecondCallCompletesTransfer) {
  const test::Watchdog watchdog("a rendezvous");
  Cell cell;
  std::thread sender([&] { EXPECT_EQ(wait_send(*channel, Cell::integer(1), caller.round()), Status::ok); });
  test::await([&] { return channel->waiting(Side::sender) == 1; });
  EXPECT_EQ(channel->try_recv(cell, lane), Status::ok);
  EXPECT_EQ(cell.as_integer(), 1);
  sender.join();
  std::thread receiver([&] {
    Cell taken;
    EXPECT_EQ(wait_recv(*channel, taken, caller.round()), Status::ok);
    EXPECT_EQ(taken.as_integer(), 2);
  });
  test::await([&] { return channel->waiting(Side::receiver) == 1; });
  EXPECT_EQ(channel->try_send(Cell::integer(2), lane), Status::ok);
  receiver.join();
  EXPECT_EQ(channel->sent(), 2u);
}

// A sender times out while a receiver arrives: both agree on whether the message was transferred.
TEST_F(Rendezvous, TimeoutRacingTransferLosesNoMessage) {
  const test::Watchdog watchdog("timeouts at a rendezvous");
  int met = 0;
  for (int round = 0; round < test::rounds(4'000); ++round) {
    Status sent, received;
    test::together(2, [&](unsigned thread) {
      Cell cell;
      const Deadline soon = Deadline::after(round % 64 * 1'000);
      if (thread == 0) {
        const Cell message = test::block_message();
        sent = wait_send(*channel, message, caller.round(round % 2 ? soon : Deadline::after(20'000)));
        if (sent != Status::ok) release(message);
      } else {
        received = wait_recv(*channel, cell, caller.round(round % 2 ? Deadline::after(20'000) : soon));
        if (received == Status::ok) release(cell);
      }
    });
    ASSERT_EQ(sent, received);
    ASSERT_EQ(new_blocks(), 0u);
    met += sent == Status::ok;
  }
  EXPECT_EQ(channel->sent(), static_cast<std::uint64_t>(met));
}

TEST_F(Rendezvous, CloseRacingTransferLosesNoMessage) {
  const test::Watchdog watchdog("closing at a rendezvous");
  for (int round = 0; round < test::rounds(4'000); ++round) {
    Channel* meeting = nullptr;
    ASSERT_EQ(create_channel({.flavor = Flavor::rendezvous, .capacity = 0}, meeting), Status::ok);
    Status sent, received;
    test::together(3, [&](unsigned thread) {
      Cell cell;
      if (thread == 0) {
        const Cell message = test::block_message();
        sent = wait_send(*meeting, message, caller.round());
        if (sent != Status::ok) release(message);
      } else if (thread == 1) {
        received = wait_recv(*meeting, cell, caller.round());
        if (received == Status::ok) release(cell);
      } else {
        meeting->shutdown(round % 2);
      }
    });
    EXPECT_EQ(sent, received);
    EXPECT_TRUE(sent == Status::ok || sent == Status::closed);
    EXPECT_EQ(meeting->stats().received, meeting->sent());
    ASSERT_EQ(new_blocks(), 0u);
    test::drop_both(meeting);
  }
}

Status select_both(Channel* channel, std::int64_t offer, Deadline deadline, std::size_t& chosen, Cell& taken) {
  const Caller caller;
  static const atomic<bool> never{false};
  const Case common{.channel = channel,
                    .side = Side::receiver,
                    .lane = &lane,
                    .end_closed = &caller.closed,
                    .owner = &caller,
                    .cell = {},
                    .node = {}};
  Case cases[] = {common, common};
  cases[1].side = Side::sender;
  cases[1].cell = Cell::integer(offer);
  const Status status = wait_any(cases, {deadline, Deadline::never(), &never, false}, chosen);
  taken = cases[chosen].cell;
  return status;
}

TEST_F(Rendezvous, SelectDoesNotMeetItself) {
  std::size_t chosen = 0;
  Cell taken;
  for (const std::int64_t wait : {0, 2'000'000}) {
    EXPECT_EQ(select_both(channel, 5, Deadline::after(wait), chosen, taken), Status::timeout);
  }
  EXPECT_EQ(channel->sent(), 0u);
}

TEST_F(Rendezvous, TwoSelectsOverBothSidesMeet) {
  const test::Watchdog watchdog("two selects over both ends");
  for (int round = 0; round < test::rounds(2'000); ++round) {
    std::size_t chosen[2];
    Cell taken[2];
    test::together(2, [&](unsigned thread) {
      ASSERT_EQ(select_both(channel, thread, Deadline::never(), chosen[thread], taken[thread]), Status::ok);
    });
    ASSERT_NE(chosen[0], chosen[1]) << "one has sent, the other has received";
    const unsigned receiver = chosen[0] == 0 ? 0 : 1;
    ASSERT_EQ(taken[receiver].as_integer(), static_cast<std::int64_t>(1 - receiver));
  }
  EXPECT_EQ(channel->sent(), static_cast<std::uint64_t>(test::rounds(2'000)));
}

}  // namespace
}  // namespace xichan::internal
