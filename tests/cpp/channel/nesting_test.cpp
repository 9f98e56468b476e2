// Channels queued in channels, to any depth and in cycles.
#include "channel/channel_support.h"

namespace xichan::internal {
namespace {

using test::end_message;
using test::new_channel;

class Nesting : public test::ChannelTest {};

constexpr int deep = test::sanitized ? 100'000 : 1'000'000;

// Builds a chain: the queue of each channel holds the only Receiver of the next. Returns the first channel, with both
// of its endpoints.
Channel* chain(int length) {
  Channel* first = new_channel(1);
  for (int i = 1; i < length; ++i) {
    Channel* next = first;
    first = new_channel(1);
    EXPECT_EQ(first->try_send(end_message(next, Side::receiver), lane), Status::ok);
    next->drop_endpoint(Side::sender);
  }
  return first;
}

TEST_F(Nesting, MillionNestedReceiversFitSmallStack) {
  Channel* first = chain(deep);
  EXPECT_EQ(new_channels(), static_cast<std::uint64_t>(deep));
  first->drop_endpoint(Side::sender);
  test::on_small_stack([&] { first->drop_endpoint(Side::receiver); });
  EXPECT_EQ(new_channels(), 0u);
}

TEST_F(Nesting, ShutdownAndReleaseOfAMillionNestedChannelsFitSmallStack) {
  Channel* first = chain(deep / 2);
  test::on_small_stack([&] { first->shutdown(true); });
  EXPECT_EQ(new_channels(), 1u);
  test::drop_both(first);
  first = chain(deep / 2);
  first->drop_endpoint(Side::sender);
  const Cell message = end_message(first, Side::receiver);
  test::on_small_stack([&] { release(message); });
}

TEST_F(Nesting, ManyEndpointsInOneQueueAreReleased) {
  constexpr int width = 10'000;
  Channel* outer = new_channel(width);
  for (int i = 0; i < width; ++i) {
    Channel* inner = new_channel(2);
    ASSERT_EQ(inner->try_send(test::block_message(), lane), Status::ok);
    ASSERT_EQ(outer->try_send(end_message(inner, Side::receiver), lane), Status::ok);
    inner->drop_endpoint(Side::sender);
  }
  test::on_small_stack([&] { test::drop_both(outer); });
  EXPECT_EQ(new_channels(), 0u);
  EXPECT_EQ(new_blocks(), 0u);
}

TEST_F(Nesting, QueuedSenderKeepsItsChannelOpen) {
  Channel* outer = new_channel(1);
  Channel* inner = new_channel(1);
  ASSERT_EQ(outer->try_send(end_message(inner, Side::sender), lane), Status::ok);
  Cell cell;
  EXPECT_EQ(inner->try_recv(cell, lane), Status::empty);
  test::drop_both(outer);
  EXPECT_EQ(inner->try_recv(cell, lane), Status::closed);
  inner->drop_endpoint(Side::receiver);
}

TEST_F(Nesting, EndpointInItsOwnChannelKeepsItAliveUntilShutdown) {
  for (const Side side : test::both_sides) {
    Channel* channel = new_channel(2);
    channel->add_endpoint(side);
    ASSERT_EQ(channel->try_send(end_message(channel, side), lane), Status::ok);
    const ChannelId id = channel->id();
    channel->drop_endpoint(Side::sender);
    if (side == Side::receiver) channel->drop_endpoint(Side::receiver);  // the queued Receiver is the last
    ASSERT_EQ(new_channels(), 1u);
    channel->pin();
    channel->shutdown(true);
    EXPECT_EQ(new_blocks(), 0u);
    if (side == Side::sender) channel->drop_endpoint(Side::receiver);
    channel->unpin();
    EXPECT_EQ(new_channels(), 0u);
    EXPECT_EQ(Registry::open(id, Side::sender), nullptr);
  }
}

TEST_F(Nesting, LastReceiverReleasesQueuedSendersOfItsOwnChannel) {
  Channel* channel = new_channel(3);
  for (int i = 0; i < 3; ++i) {
    channel->add_endpoint(Side::sender);
    ASSERT_EQ(channel->try_send(end_message(channel, Side::sender), lane), Status::ok);
  }
  channel->drop_endpoint(Side::sender);
  channel->drop_endpoint(Side::receiver);
  EXPECT_EQ(new_channels(), 0u);
}

TEST_F(Nesting, TwoChannelsInEachOtherAreReleased) {
  Channel* a = new_channel(1);
  Channel* b = new_channel(1);
  ASSERT_EQ(a->try_send(end_message(b, Side::receiver), lane), Status::ok);
  ASSERT_EQ(b->try_send(end_message(a, Side::receiver), lane), Status::ok);
  b->drop_endpoint(Side::sender);
  EXPECT_EQ(new_channels(), 2u) << "a circle holds itself";
  a->shutdown(true);
  a->drop_endpoint(Side::sender);
  EXPECT_EQ(new_channels(), 0u);
}

TEST_F(Nesting, MessageInManyQueuesIsReleasedWithTheLast) {
  const Cell message = test::block_message(1000);
  std::vector<Channel*> channels;
  for (int i = 0; i < 10; ++i) {
    channels.push_back(new_channel(1));
    retain(message);
    ASSERT_EQ(channels.back()->try_send(message, lane), Status::ok);
  }
  release(message);
  for (Channel* channel : channels) {
    EXPECT_EQ(new_blocks(), 1u);
    test::drop_both(channel);
  }
  EXPECT_EQ(new_blocks(), 0u);
}

}  // namespace
}  // namespace xichan::internal
