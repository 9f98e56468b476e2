// Batches through channels of every kind: partial counts, wake-ups, and the release of messages that are never
// received.
#include <algorithm>
#include <array>

#include "channel/channel_kinds.h"

namespace xichan::internal {
namespace {

class ChannelBatch : public test::ChannelTest, public ::testing::WithParamInterface<test::ChannelKind> {};
INSTANTIATE_TEST_SUITE_P(Kinds, ChannelBatch, ::testing::ValuesIn(test::every_kind), test::KindName());

TEST_P(ChannelBatch, KeepsOrderAndReportsPartialCount) {
  Channel* channel = GetParam().make(8);
  {
    test::ThreadEndpoint tx(channel, Side::sender), rx(channel, Side::receiver);
    std::array<Cell, 6> cells, taken;
    for (std::int64_t i = 0; i < 6; ++i) cells[i] = Cell::integer(i);
    std::uint64_t done = 99;
    if (GetParam().is_rendezvous()) {
      EXPECT_EQ(channel->try_send_many(cells.data(), 6, done, tx.lane), Status::full) << "no receiver is waiting";
      EXPECT_EQ(done, 0u);
    } else {
      EXPECT_EQ(channel->try_send_many(cells.data(), 6, done, tx.lane), Status::ok);
      const std::uint64_t sent = done;
      EXPECT_EQ(sent, GetParam().max_bytes == 0 ? 6u : channel->stats().depth);
      EXPECT_GE(sent, 1u);
      EXPECT_EQ(channel->try_recv_many(taken.data(), 6, done, rx.lane), Status::ok);
      EXPECT_EQ(done, sent);
      for (std::uint64_t i = 0; i < done; ++i) EXPECT_EQ(taken[i].as_integer(), static_cast<std::int64_t>(i));
    }
    EXPECT_EQ(channel->try_recv_many(taken.data(), 6, done, rx.lane), Status::empty);
    EXPECT_EQ(done, 0u);
    channel->shutdown(true);
    EXPECT_EQ(channel->try_send_many(cells.data(), 6, done, tx.lane), Status::closed);
    EXPECT_EQ(done, 0u);
    EXPECT_EQ(channel->try_recv_many(taken.data(), 6, done, rx.lane), Status::closed);
  }
}

class ChannelBatchWakes : public test::ChannelTest {};

TEST_F(ChannelBatchWakes, WakesOneReceiverPerMessage) {
  constexpr unsigned receivers = 4;
  Channel* channel = test::new_channel(8);
  for (int round = 0; round < test::rounds(300); ++round) {
    std::atomic<int> sum{0};
    test::together(receivers + 1, [&](unsigned thread) {
      if (thread < receivers) {
        Cell cell;
        static const atomic<bool> open{false};
        ASSERT_EQ(wait_recv(*channel, cell, {Deadline::never(), Deadline::never(), open, &sum}), Status::ok);
        sum += static_cast<int>(cell.as_integer());
        return;
      }
      if (round % 2 == 0) test::await([&] { return channel->waiting(Side::receiver) == receivers; });
      std::array<Cell, receivers> cells;
      for (unsigned i = 0; i < receivers; ++i) cells[i] = Cell::integer(1 << i);
      std::uint64_t done;
      ASSERT_EQ(channel->try_send_many(cells.data(), receivers, done, lane), Status::ok);
      ASSERT_EQ(done, receivers);
    });
    ASSERT_EQ(sum.load(), (1 << receivers) - 1);
  }
  test::drop_both(channel);
}

TEST_F(ChannelBatchWakes, WakesOneSenderPerFreeSlot) {
  constexpr unsigned senders = 4;
  Channel* channel = test::new_channel(senders);
  for (int round = 0; round < test::rounds(300); ++round) {
    std::array<Cell, senders> cells{}, taken;
    std::uint64_t done;
    ASSERT_EQ(channel->try_send_many(cells.data(), senders, done, lane), Status::ok);
    ASSERT_EQ(done, senders);
    test::together(senders + 1, [&](unsigned thread) {
      static const atomic<bool> open{false};
      if (thread < senders) {
        const Cell cell = Cell::integer(thread);
        ASSERT_EQ(wait_send(*channel, cell, {Deadline::never(), Deadline::never(), open, &taken}), Status::ok);
        return;
      }
      if (round % 2 == 0) test::await([&] { return channel->waiting(Side::sender) == senders; });
      std::uint64_t freed;
      ASSERT_EQ(channel->try_recv_many(taken.data(), senders, freed, lane), Status::ok);
      ASSERT_EQ(freed, senders);
    });
    ASSERT_EQ(channel->try_recv_many(taken.data(), senders, done, lane), Status::ok);
    ASSERT_EQ(done, senders);
  }
  test::drop_both(channel);
}

TEST_F(ChannelBatchWakes, ReleasesMessagesThatNoReceiverTakes) {
  for (int round = 0; round < test::rounds(500); ++round) {
    Channel* channel = test::new_channel(8);
    std::uint64_t done = 0;
    test::together(2, [&](unsigned thread) {
      if (thread == 1) return channel->drop_endpoint(Side::receiver);
      std::array<Cell, 4> cells;
      for (Cell& cell : cells) cell = test::block_message();
      const Status status = channel->try_send_many(cells.data(), cells.size(), done, lane);
      ASSERT_TRUE(status == Status::ok ? done == cells.size() : status == Status::closed && done == 0);
      for (std::uint64_t i = done; i < cells.size(); ++i) release(cells[i]);
    });
    channel->drop_endpoint(Side::sender);
  }
}

}  // namespace
}  // namespace xichan::internal
