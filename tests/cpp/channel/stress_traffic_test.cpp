// Traffic among many threads: every message arrives once and in its sender's order, and no thread misses its wake-up,
// whether calls time out, are interrupted or are cancelled. XICHAN_STRESS multiplies the traffic.
#include <cstring>

#include "channel/channel_kinds.h"
#include "value/block_reader.h"

namespace xichan::internal {
namespace {

using test::Caller;
using test::new_channel;

struct Shape {
  unsigned senders, receivers;
  std::uint64_t capacity;
  int items;               // of each sender
  std::int64_t limit = 0;  // nanoseconds after which a blocked call times out and tries again; 0: never
  bool slices = false;     // interrupt calls by a slice instead of a timeout
};

class Traffic : public test::ChannelTest, public ::testing::WithParamInterface<test::ChannelKind> {
 protected:
  void run(const Shape& shape) {
    const test::Watchdog watchdog("traffic", std::chrono::seconds(60 * test::stress_factor()));
    SCOPED_TRACE(::testing::Message() << shape.senders << " x " << shape.receivers << ", " << shape.capacity);
    Channel* channel = GetParam().make(shape.capacity);
    for (unsigned i = 1; i < shape.senders; ++i) channel->add_endpoint(Side::sender);
    for (unsigned i = 1; i < shape.receivers; ++i) channel->add_endpoint(Side::receiver);
    std::vector<std::atomic<std::int64_t>> counts(shape.senders);
    test::together(shape.senders + shape.receivers, [&](unsigned thread) {
      test::ThreadEndpoint end(channel, thread < shape.senders ? Side::sender : Side::receiver);
      if (thread < shape.senders) {
        send_all(*channel, end.lane, shape, thread);
      } else {
        recv_all(*channel, end.lane, shape, counts);
      }
    });
    for (unsigned s = 0; s < shape.senders; ++s) EXPECT_EQ(counts[s].load(), test::rounds(shape.items));
    EXPECT_EQ(new_channels(), 0u);
  }

 private:
  static WaitRound limited(const Caller& caller, const Shape& shape) {
    if (shape.limit == 0) return caller.round();
    const Deadline deadline = Deadline::after(shape.limit);
    return shape.slices ? caller.round(Deadline::never(), deadline) : caller.round(deadline);
  }
  // Under a byte bound each message has a block of varying size; otherwise it is the number itself.
  static Cell message(std::int64_t number) {
    if (GetParam().max_bytes == 0) return Cell::integer(number);
    std::string data(sizeof number + static_cast<std::size_t>(number % 40), 'x');
    std::memcpy(data.data(), &number, sizeof number);
    BlockBuilder builder;
    builder.count_bytes(data.size());
    EXPECT_EQ(builder.allocate(), Status::ok);
    builder.write_bytes(builder.root(), data.data(), data.size());
    return builder.finish();
  }
  static std::int64_t number_of(const Cell& cell) {
    if (cell.tag() == Tag::integer) return cell.as_integer();
    const BlockReader reader(cell.as_block());
    std::int64_t number;
    std::memcpy(&number, reader.payload(reader.root()), sizeof number);
    release(cell);
    return number;
  }
  static bool gave_up(Status status) { return status == Status::timeout || status == Status::interrupted; }

  static void send_all(Channel& channel, Lane& lane, const Shape& shape, std::int64_t me) {
    const Caller caller;
    for (std::int64_t i = 0; i < test::rounds(shape.items); ++i) {
      const Cell cell = message(me << 40 | i);
      Status status;
      while (gave_up(status = wait_send(channel, cell, limited(caller, shape), lane))) {
      }
      ASSERT_EQ(status, Status::ok);
    }
  }

  static void recv_all(Channel& channel, Lane& lane, const Shape& shape,
                       std::vector<std::atomic<std::int64_t>>& counts) {
    const Caller caller;
    std::vector<std::int64_t> last(shape.senders, -1);
    for (;;) {
      Cell cell;
      const Status status = wait_recv(channel, cell, limited(caller, shape), lane);
      if (gave_up(status)) continue;
      if (status == Status::closed) return;
      ASSERT_EQ(status, Status::ok);
      const std::int64_t content = number_of(cell);
      const auto sender = static_cast<std::size_t>(content >> 40);
      const std::int64_t number = content & 0xffffffffff;
      ASSERT_GT(number, last[sender]) << "a sender's order is kept for each receiver";
      last[sender] = number;
      ++counts[sender];
    }
  }
};

TEST_P(Traffic, DeliversEachMessageOnce) {
  for (const std::uint64_t capacity : {1, 2, 5, 100}) {
    for (const unsigned side : {1u, 2u, 4u}) run({side, side, capacity, 1'500});
  }
}

TEST_P(Traffic, UnequalSides) {
  run({1, 6, 2, 3'000});
  run({6, 1, 2, 1'000});
}

TEST_P(Traffic, OnOneCpu) {
  const test::OneCpu one;
  for (const std::uint64_t capacity : {1, 3, 64}) {
    for (const unsigned side : {1u, 2u, 4u}) run({side, side, capacity, 1'000});
  }
}

TEST_P(Traffic, WithFrequentTimeouts) {
  for (const std::uint64_t capacity : {1, 3}) {
    for (const std::int64_t limit : {1, 3'000, 60'000}) run({2, 2, capacity, 300, limit});
  }
}

TEST_P(Traffic, WithFrequentSlices) {
  for (const std::int64_t limit : {1, 20'000}) run({2, 3, 1, 300, limit, true});
}

INSTANTIATE_TEST_SUITE_P(Kinds, Traffic, ::testing::ValuesIn(test::many_to_many), test::KindName());

class MpmcTraffic : public test::ChannelTest {};

// Some receivers' calls are cancelled continually; the others must not lose a message.
TEST_F(MpmcTraffic, WithFrequentlyClosedHandles) {
  const test::Watchdog watchdog("cancelled calls among others", std::chrono::seconds(60 * test::stress_factor()));
  const int items = test::rounds(20'000);
  Channel* channel = new_channel(1);
  std::atomic<int> received{0};
  Caller victim;
  std::atomic<bool> done{false};
  test::together(4, [&](unsigned thread) {
    const Caller caller;
    Cell cell;
    if (thread == 0) {
      for (int i = 0; i < items; ++i) ASSERT_EQ(wait_send(*channel, Cell::integer(i), caller.round()), Status::ok);
      channel->drop_endpoint(Side::sender);
    } else if (thread == 1) {
      while (wait_recv(*channel, cell, caller.round()) == Status::ok) ++received;
    } else if (thread == 2) {
      for (Status status = Status::ok; status != Status::closed; victim.closed.store(false)) {
        while ((status = wait_recv(*channel, cell, victim.round())) == Status::ok) ++received;
      }
      done.store(true);
    } else {
      while (!done.load()) victim.close(*channel, Side::receiver);
    }
  });
  EXPECT_EQ(received.load(), items);
  channel->drop_endpoint(Side::receiver);
}

// Messages that own endpoints: each stage opens the endpoint that it receives and replies through it.
TEST_F(MpmcTraffic, RepliesThroughSentEndpoints) {
  const test::Watchdog watchdog("replies", std::chrono::seconds(60 * test::stress_factor()));
  Channel* requests = new_channel(4);
  requests->add_endpoint(Side::sender);
  test::together(3, [&](unsigned thread) {
    const Caller caller;
    Cell cell;
    if (thread == 0) {  // the server: each request is the Sender for its reply
      while (wait_recv(*requests, cell, caller.round()) == Status::ok) {
        Channel* reply = static_cast<Channel*>(cell.as_block()->references()[0].object);
        EXPECT_EQ(wait_send(*reply, Cell::integer(42), caller.round()), Status::ok);
        release(cell);
      }
      return requests->drop_endpoint(Side::receiver);
    }
    for (int i = 0; i < test::rounds(3'000); ++i) {
      Channel* reply = new_channel(1);
      ASSERT_EQ(wait_send(*requests, test::end_message(reply, Side::sender), caller.round()), Status::ok);
      EXPECT_EQ(wait_recv(*reply, cell, caller.round()), Status::ok);
      EXPECT_EQ(wait_recv(*reply, cell, caller.round()), Status::closed) << "the Sender went with the message";
      reply->drop_endpoint(Side::receiver);
    }
    requests->drop_endpoint(Side::sender);
  });
  EXPECT_EQ(new_channels(), 0u);
}

}  // namespace
}  // namespace xichan::internal
