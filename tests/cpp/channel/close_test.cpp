// Closing a side, shutdown, and the lifetime of a channel's memory.
#include "channel/channel_support.h"

namespace xichan::internal {
namespace {

using test::Caller;
using test::new_channel;

class Closing : public test::ChannelTest {};

TEST_F(Closing, ReceiversDrainAfterLastSenderCloses) {
  Channel* channel = new_channel(4);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(channel->try_send(Cell::integer(i), lane), Status::ok);
  channel->drop_endpoint(Side::sender);
  EXPECT_FALSE(channel->finished_for(Side::receiver)) << "not drained yet";
  Cell cell;
  const Caller caller;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(wait_recv(*channel, cell, caller.round()), Status::ok);
    EXPECT_EQ(cell.as_integer(), i);
  }
  EXPECT_TRUE(channel->finished_for(Side::receiver));
  EXPECT_EQ(channel->try_recv(cell, lane), Status::closed);
  EXPECT_EQ(wait_recv(*channel, cell, caller.round()), Status::closed);
  channel->drop_endpoint(Side::receiver);
}

TEST_F(Closing, LastReceiverDiscardsQueue) {
  Channel* channel = new_channel(4);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(channel->try_send(test::block_message(), lane), Status::ok);
  EXPECT_EQ(new_blocks(), 3u);
  channel->drop_endpoint(Side::receiver);
  EXPECT_EQ(new_blocks(), 0u);
  EXPECT_EQ(channel->size(), 0u);
  EXPECT_TRUE(channel->finished_for(Side::sender));
  EXPECT_EQ(channel->try_send(Cell::none(), lane), Status::closed);
  const Caller caller;
  EXPECT_EQ(wait_send(*channel, Cell::none(), caller.round()), Status::closed);
  channel->drop_endpoint(Side::sender);
}

TEST_F(Closing, NoNewEndpointAfterCountReachesZero) {
  for (const Side side : test::both_sides) {
    Channel* channel = new_channel(2);
    channel->add_endpoint(side);
    EXPECT_TRUE(channel->try_add_endpoint(side));
    EXPECT_EQ(channel->endpoint_count(side), 3u);
    channel->drop_endpoint(side);
    channel->drop_endpoint(side);
    EXPECT_EQ(channel->try_send(Cell::none(), lane), Status::ok) << "one is left";
    channel->drop_endpoint(side);
    EXPECT_EQ(channel->endpoint_count(side), 0u);
    EXPECT_FALSE(channel->try_add_endpoint(side)) << "H1";
    EXPECT_EQ(channel->try_send(Cell::none(), lane), Status::closed);
    const Side other = side == Side::sender ? Side::receiver : Side::sender;
    EXPECT_TRUE(channel->try_add_endpoint(other));
    channel->drop_endpoint(other);
    channel->drop_endpoint(other);
  }
}

TEST_F(Closing, ReceiversDrainAfterShutdown) {
  Channel* channel = new_channel(4);
  ASSERT_EQ(channel->try_send(test::block_message(), lane), Status::ok);
  channel->shutdown(false);
  channel->shutdown(false);
  EXPECT_TRUE(channel->is_shut_down());
  EXPECT_EQ(channel->try_send(Cell::none(), lane), Status::closed);
  Cell cell;
  EXPECT_EQ(channel->try_recv(cell, lane), Status::ok);
  release(cell);
  EXPECT_EQ(channel->try_recv(cell, lane), Status::closed);
  for (const Side side : test::both_sides) EXPECT_TRUE(channel->finished_for(side));
  test::drop_both(channel);
}

TEST_F(Closing, ImmediateShutdownDiscardsQueue) {
  Channel* channel = new_channel(4);
  for (int i = 0; i < 4; ++i) ASSERT_EQ(channel->try_send(test::block_message(), lane), Status::ok);
  channel->shutdown(true);
  EXPECT_EQ(new_blocks(), 0u);
  Cell cell;
  EXPECT_EQ(channel->try_recv(cell, lane), Status::closed);
  EXPECT_EQ(channel->try_send(Cell::none(), lane), Status::closed);
  test::drop_both(channel);
}

TEST_F(Closing, LaterImmediateShutdownDiscardsQueue) {
  Channel* channel = new_channel(4);
  ASSERT_EQ(channel->try_send(test::block_message(), lane), Status::ok);
  channel->shutdown(false);
  EXPECT_EQ(new_blocks(), 1u);
  channel->shutdown(true);
  EXPECT_EQ(new_blocks(), 0u);
  test::drop_both(channel);
}

TEST_F(Closing, ShutdownKeepsEndpointCounts) {
  Channel* channel = new_channel(1);
  channel->shutdown(true);
  EXPECT_EQ(channel->endpoint_count(Side::sender), 1u);
  EXPECT_EQ(Registry::open(channel->id(), Side::receiver), channel) << "still there, though shut down";
  channel->drop_endpoint(Side::receiver);
  test::drop_both(channel);
}

TEST_F(Closing, ClosingBothSidesDiscardsQueueInEitherOrder) {
  for (const bool sender_first : {true, false}) {
    Channel* channel = new_channel(4);
    ASSERT_EQ(channel->try_send(test::block_message(), lane), Status::ok);
    channel->drop_endpoint(sender_first ? Side::sender : Side::receiver);
    channel->drop_endpoint(sender_first ? Side::receiver : Side::sender);
    EXPECT_EQ(new_blocks(), 0u);
    EXPECT_EQ(new_channels(), 0u);
  }
}

// Starts `count` calls of a side that sleep, ends them with `finish`, and expects each to return `expected`.
void wake_all(Channel* channel, Side side, unsigned count, Status expected, const std::function<void()>& finish) {
  const test::Watchdog watchdog("closing wakes every waiter");
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < count; ++i) {
    channel->pin();
    threads.emplace_back([=] {
      const Caller caller;
      Cell cell = Cell::none();
      const WaitRound round = caller.round();
      EXPECT_EQ(side == Side::sender ? wait_send(*channel, cell, round) : wait_recv(*channel, cell, round), expected);
      channel->unpin();
    });
  }
  test::await([&] { return channel->waiting(side) == count; });
  finish();
  for (std::thread& thread : threads) thread.join();
}

TEST_F(Closing, LastSenderWakesAllReceivers) {
  Channel* channel = new_channel(1);
  wake_all(channel, Side::receiver, 4, Status::closed, [&] { channel->drop_endpoint(Side::sender); });
  channel->drop_endpoint(Side::receiver);
}

TEST_F(Closing, LastReceiverWakesAllSenders) {
  Channel* channel = new_channel(1);
  ASSERT_EQ(channel->try_send(Cell::none(), lane), Status::ok);
  wake_all(channel, Side::sender, 4, Status::closed, [&] { channel->drop_endpoint(Side::receiver); });
  channel->drop_endpoint(Side::sender);
}

TEST_F(Closing, ShutdownWakesBothSides) {
  for (const bool immediate : {true, false}) {
    Channel* channel = new_channel(1);
    wake_all(channel, Side::receiver, 3, Status::closed, [&] { channel->shutdown(immediate); });
    test::drop_both(channel);
    channel = new_channel(1);
    ASSERT_EQ(channel->try_send(test::block_message(), lane), Status::ok);
    wake_all(channel, Side::sender, 3, Status::closed, [&] { channel->shutdown(immediate); });
    test::drop_both(channel);
  }
}

TEST_F(Closing, PinKeepsMemoryOfFinishedChannel) {
  Channel* channel = new_channel(2);
  channel->pin();
  ASSERT_EQ(channel->try_send(test::block_message(), lane), Status::ok);
  test::drop_both(channel);
  EXPECT_EQ(new_channels(), 1u);
  EXPECT_EQ(new_blocks(), 0u);
  Cell cell;
  EXPECT_EQ(channel->try_send(Cell::none(), lane), Status::closed);
  EXPECT_EQ(channel->try_recv(cell, lane), Status::closed);
  EXPECT_EQ(Registry::open(channel->id(), Side::sender), nullptr);
  channel->unpin();
  EXPECT_EQ(new_channels(), 0u);
}

}  // namespace
}  // namespace xichan::internal
