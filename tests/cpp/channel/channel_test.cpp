// Sending and receiving with one thread and with two.
#include "channel/channel_support.h"
#include "directory/create_channel.h"

namespace xichan::internal {
namespace {

using test::Caller;
using test::new_channel;

class Sending : public test::ChannelTest {};

TEST_F(Sending, AcceptsCapacitiesFromOneTo2To24) {
  for (const std::uint64_t capacity :
       {std::uint64_t{0}, Channel::max_capacity + 1, std::uint64_t{1} << 63, UINT64_MAX}) {
    Channel* channel;
    EXPECT_EQ(create_channel({.capacity = capacity}, channel), Status::too_large) << capacity;
    EXPECT_EQ(channel, nullptr);
  }
  for (const std::uint64_t capacity : {std::uint64_t{1}, std::uint64_t{1000}, Channel::max_capacity}) {
    Channel* channel = new_channel(capacity);
    EXPECT_EQ(channel->capacity(), capacity);
    EXPECT_EQ(channel->size(), 0u);
    test::drop_both(channel);
  }
}

TEST_F(Sending, StartsWithOneEndpointPerSide) {
  Channel* channel = new_channel(1);
  for (const Side side : test::both_sides) {
    EXPECT_EQ(channel->endpoint_count(side), 1u);
    EXPECT_EQ(channel->waiting(side), 0u);
    EXPECT_FALSE(channel->finished_for(side));
  }
  EXPECT_FALSE(channel->is_shut_down());
  EXPECT_NE(channel->id(), ChannelId{});
  EXPECT_EQ(new_channels(), 1u);
  test::drop_both(channel);
  EXPECT_EQ(new_channels(), 0u);
}

TEST_F(Sending, IsFirstInFirstOutUpToCapacity) {
  Channel* channel = new_channel(3);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(channel->try_send(Cell::integer(i), lane), Status::ok);
  EXPECT_EQ(channel->size(), 3u);
  EXPECT_EQ(channel->try_send(Cell::integer(3), lane), Status::full);
  Cell cell;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(channel->try_recv(cell, lane), Status::ok);
    EXPECT_EQ(cell.as_integer(), i);
  }
  EXPECT_EQ(channel->try_recv(cell, lane), Status::empty);
  test::drop_both(channel);
}

TEST_F(Sending, OkTransfersOwnershipOfTheCell) {
  Channel* channel = new_channel(1);
  const Cell first = test::block_message();
  const Cell second = test::block_message();
  EXPECT_EQ(channel->try_send(first, lane), Status::ok);
  EXPECT_EQ(channel->try_send(second, lane), Status::full);
  EXPECT_EQ(new_blocks(), 2u);
  release(second);  // any other status leaves it with the caller
  Cell cell;
  EXPECT_EQ(channel->try_recv(cell, lane), Status::ok);
  EXPECT_EQ(cell.as_block(), first.as_block());
  EXPECT_EQ(new_blocks(), 1u);
  release(cell);
  test::drop_both(channel);
}

TEST_F(Sending, ReturnsAtOnceWhenPossible) {
  Channel* channel = new_channel(1);
  const Caller caller;
  EXPECT_EQ(wait_send(*channel, Cell::integer(4), caller.round()), Status::ok);
  Cell cell;
  EXPECT_EQ(wait_recv(*channel, cell, caller.round()), Status::ok);
  EXPECT_EQ(cell.as_integer(), 4);
  test::drop_both(channel);
}

TEST_F(Sending, ReceiverSleepsUntilMessageArrives) {
  const test::Watchdog watchdog("a sleeping receiver");
  Channel* channel = new_channel(1);
  std::thread receiver([&] {
    const Caller caller;
    Cell cell;
    EXPECT_EQ(wait_recv(*channel, cell, caller.round()), Status::ok);
    EXPECT_EQ(cell.as_integer(), 5);
  });
  test::await([&] { return channel->waiting(Side::receiver) == 1; });
  EXPECT_EQ(channel->try_send(Cell::integer(5), lane), Status::ok);
  receiver.join();
  EXPECT_EQ(channel->waiting(Side::receiver), 0u) << "W4: nothing is linked after the call";
  test::drop_both(channel);
}

TEST_F(Sending, SenderSleepsUntilSlotIsFree) {
  const test::Watchdog watchdog("a sleeping sender");
  Channel* channel = new_channel(1);
  ASSERT_EQ(channel->try_send(Cell::integer(1), lane), Status::ok);
  std::thread sender([&] {
    const Caller caller;
    EXPECT_EQ(wait_send(*channel, Cell::integer(2), caller.round()), Status::ok);
  });
  test::await([&] { return channel->waiting(Side::sender) == 1; });
  Cell cell;
  EXPECT_EQ(channel->try_recv(cell, lane), Status::ok);
  EXPECT_EQ(cell.as_integer(), 1);
  sender.join();
  EXPECT_EQ(channel->try_recv(cell, lane), Status::ok);
  EXPECT_EQ(cell.as_integer(), 2);
  test::drop_both(channel);
}

// Both sides sleep again and again: each message needs a wake-up in either direction.
void ping_pong() {
  const int rounds = test::rounds(20'000);
  const test::Watchdog watchdog("ping-pong");
  Channel* there = new_channel(1);
  Channel* back = new_channel(1);
  test::together(2, [&](unsigned thread) {
    const Caller caller;
    Cell cell;
    for (int i = 0; i < rounds; ++i) {
      if (thread == 0) {
        ASSERT_EQ(wait_send(*there, Cell::integer(i), caller.round()), Status::ok);
        ASSERT_EQ(wait_recv(*back, cell, caller.round()), Status::ok);
        ASSERT_EQ(cell.as_integer(), i);
      } else {
        ASSERT_EQ(wait_recv(*there, cell, caller.round()), Status::ok);
        ASSERT_EQ(wait_send(*back, cell, caller.round()), Status::ok);
      }
    }
  });
  test::drop_both(there);
  test::drop_both(back);
}

TEST_F(Sending, PingPongLosesNoWakeUp) { ping_pong(); }

TEST_F(Sending, PingPongLosesNoWakeUpOnOneCpu) {
  const test::OneCpu one;
  ping_pong();
}

TEST_F(Sending, FullChannelKeepsOrderBetweenTwoThreads) {
  const test::Watchdog watchdog("a full channel");
  for (const std::uint64_t capacity : {1, 2, 7}) {
    Channel* channel = new_channel(capacity);
    test::together(2, [&](unsigned thread) {
      const Caller caller;
      for (int i = 0; i < test::rounds(20'000); ++i) {
        Cell cell;
        if (thread == 0) {
          ASSERT_EQ(wait_send(*channel, Cell::integer(i), caller.round()), Status::ok);
        } else {
          ASSERT_EQ(wait_recv(*channel, cell, caller.round()), Status::ok);
          ASSERT_EQ(cell.as_integer(), i);
        }
      }
    });
    test::drop_both(channel);
  }
}

}  // namespace
}  // namespace xichan::internal
