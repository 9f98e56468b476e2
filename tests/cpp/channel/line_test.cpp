// Small values in the lines of the bounded ring, beside its slots.
#include <array>
#include <cstring>

#include "arena/ring_memory.h"
#include "channel/channel_kinds.h"
#include "value/block_reader.h"
#include "value/line.h"
#include "xichan/channel.h"

namespace xichan::internal {
namespace {

using test::Caller;
using test::new_channel;

// A message of a bytes value that is all one character.
struct LineMessage {
  explicit LineMessage(std::size_t length, char character = 'l') : cell(Cell::of(Tag::bytes, length)) {
    std::memset(line.bytes, character, length);
  }
  Cell cell;
  Line line;
};

std::string text_of(const Cell& cell) {
  if (has_line(cell)) return {line_of(cell).bytes, cell.length()};
  const BlockReader reader(cell.as_block());
  return {static_cast<const char*>(reader.payload(reader.root())), reader.root().length()};
}

std::string bytes_of(const Value& value) {
  const auto bytes = value.view().as_bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class Lines : public test::ChannelTest {
 protected:
  Status send(Channel& channel, std::size_t length, char character = 'l') {
    const LineMessage message(length, character);
    return channel.try_send_line(message.cell, message.line, lane);
  }
};

TEST_F(Lines, ReceiverGetsCopyOfLine) {
  Channel* channel = new_channel(2);
  for (std::size_t length = 15; length <= Line::size; ++length) {
    ASSERT_EQ(send(*channel, length), Status::ok);
    Cell cell;
    Line line;
    ASSERT_EQ(channel->try_recv(cell, lane, &line), Status::ok);
    EXPECT_EQ(&line_of(cell), &line);
    EXPECT_EQ(text_of(cell), std::string(length, 'l'));
  }
  EXPECT_EQ(new_blocks(), 0u);
  test::drop_both(channel);
}

TEST_F(Lines, ReceiverWithoutLineGetsBlock) {
  Channel* channel = new_channel(1);
  for (std::size_t length : {15u, 40u, 64u}) {
    ASSERT_EQ(send(*channel, length), Status::ok);
    Cell cell;
    ASSERT_EQ(channel->try_recv(cell, lane), Status::ok);
    ASSERT_TRUE(cell.owns_block());
    EXPECT_EQ(text_of(cell), std::string(length, 'l'));
    release(cell);
  }
  test::drop_both(channel);
}

TEST_F(Lines, BlockOfReceivedTextEndsInNul) {
  const char16_t text[] = u"sixteen code unit";
  Line line;
  std::memcpy(line.bytes, text, sizeof text);
  Cell cell = Cell::of(Tag::ucs2, 16);
  attach(cell, line);
  ASSERT_EQ(move_to_block(cell), Status::ok);
  const BlockReader reader(cell.as_block());
  EXPECT_EQ(std::memcmp(reader.payload(reader.root()), text, 32), 0);
  EXPECT_EQ(static_cast<const char16_t*>(reader.payload(reader.root()))[16], 0);
  release(cell);
}

TEST_F(Lines, WithoutMemoryForBlockMessageStaysInChannel) {
  Channel* channel = new_channel(2);
  ASSERT_EQ(send(*channel, 20), Status::ok);
  Cell cell;
  std::uint64_t done;
  Arena::fail_after(0);
  EXPECT_EQ(channel->try_recv(cell, lane), Status::no_memory);
  EXPECT_EQ(channel->try_recv_many(&cell, 1, done, lane), Status::no_memory);
  EXPECT_EQ(done, 0u);
  Arena::fail_after(-1);
  EXPECT_EQ(channel->size(), 1u);
  EXPECT_EQ(channel->try_recv(cell, lane), Status::ok);
  EXPECT_EQ(text_of(cell), std::string(20, 'l'));
  release(cell);
  test::drop_both(channel);
}

TEST_F(Lines, ReservedMemoryServesWhereNoOtherIsLeft) {
  Channel* channel = new_channel(2);
  for (int allocations : {1, 2}) {
    ASSERT_EQ(send(*channel, 20), Status::ok);
    Cell cell;
    Arena::fail_after(allocations);
    EXPECT_EQ(channel->try_recv(cell, lane), Status::ok);
    Arena::fail_after(-1);
    EXPECT_EQ(text_of(cell), std::string(20, 'l'));
    release(cell);
  }
  test::drop_both(channel);
}

TEST_F(Lines, WithoutMemoryForLinesSendIsRefused) {
  Channel* channel = new_channel(2);
  Arena::fail_after(0);
  EXPECT_EQ(send(*channel, 20), Status::no_memory);
  Arena::fail_after(-1);
  EXPECT_EQ(channel->size(), 0u);
  EXPECT_EQ(send(*channel, 20), Status::ok);
  test::drop_both(channel);
}

TEST_F(Lines, FullAndClosedChannelsRefuse) {
  Channel* channel = new_channel(1);
  ASSERT_EQ(send(*channel, 20), Status::ok);
  EXPECT_EQ(send(*channel, 20), Status::full);
  channel->shutdown(false);
  EXPECT_EQ(send(*channel, 20), Status::closed);
  test::drop_both(channel);
}

TEST_F(Lines, BatchStopsBeforeLineAndNextOneTakesBothKinds) {
  Channel* channel = new_channel(8);
  ASSERT_EQ(channel->try_send(Cell::integer(1), lane), Status::ok);
  ASSERT_EQ(channel->try_send(Cell::integer(2), lane), Status::ok);
  for (const std::size_t length : {30, 40}) {
    ASSERT_EQ(send(*channel, length), Status::ok);
    ASSERT_EQ(channel->try_send(Cell::integer(3), lane), Status::ok);
  }
  std::array<Cell, 8> cells;
  std::array<Line, batch_size> lines;
  std::uint64_t done;
  ASSERT_EQ(channel->try_recv_many(cells.data(), 8, done, lane, lines.data()), Status::ok);
  EXPECT_EQ(done, 2u);
  ASSERT_EQ(channel->try_recv_many(cells.data(), 3, done, lane, lines.data()), Status::ok);
  ASSERT_EQ(done, 3u);
  EXPECT_EQ(text_of(cells[0]), std::string(30, 'l'));
  EXPECT_EQ(cells[1].as_integer(), 3);
  EXPECT_EQ(&line_of(cells[2]), &lines[2]);
  EXPECT_EQ(text_of(cells[2]), std::string(40, 'l'));
  ASSERT_EQ(channel->try_recv_many(cells.data(), 8, done, lane, lines.data()), Status::ok);
  EXPECT_EQ(done, 1u);
  test::drop_both(channel);
}

TEST_F(Lines, BatchWithoutLinesReceivesLineAloneInBlock) {
  Channel* channel = new_channel(8);
  for (const std::size_t length : {30, 40}) ASSERT_EQ(send(*channel, length), Status::ok);
  std::array<Cell, 8> cells;
  std::uint64_t done;
  for (const std::size_t length : {30, 40}) {
    ASSERT_EQ(channel->try_recv_many(cells.data(), 8, done, lane), Status::ok);
    ASSERT_EQ(done, 1u);
    EXPECT_EQ(text_of(cells[0]), std::string(length, 'l'));
    release(cells[0]);
  }
  test::drop_both(channel);
}

TEST_F(Lines, SenderThatBlocksSendsItsLine) {
  const test::Watchdog watchdog("a sender that waits with a line");
  Channel* channel = new_channel(1);
  const Caller caller;
  ASSERT_EQ(send(*channel, 20), Status::ok);
  std::thread sender([&] {
    LineMessage message(40);
    const atomic<bool> never{false};
    Case only{.channel = channel,
              .side = Side::sender,
              .lane = &lane,
              .end_closed = &caller.closed,
              .owner = &caller,
              .cell = message.cell,
              .line = &message.line};
    std::size_t chosen;
    EXPECT_EQ(wait_any({&only, 1}, {Deadline::never(), Deadline::never(), &never, false}, chosen), Status::ok);
  });
  for (const std::size_t length : {20, 40}) {
    Cell cell;
    Line line;
    while (channel->try_recv(cell, lane, &line) != Status::ok) std::this_thread::yield();
    EXPECT_EQ(text_of(cell), std::string(length, 'l'));
  }
  sender.join();
  EXPECT_EQ(new_blocks(), 0u);
  test::drop_both(channel);
}

TEST_F(Lines, OnlyPlainBoundedChannelsHaveLines) {
  for (const ChannelOptions& options :
       std::initializer_list<ChannelOptions>{{.flavor = Flavor::unbounded, .capacity = unbounded},
                                             {.flavor = Flavor::rendezvous, .capacity = 0},
                                             {.capacity = 4, .max_bytes = 1000},
                                             {.capacity = 4, .overflow = Overflow::drop_oldest},
                                             {.capacity = 4, .overflow = Overflow::drop_newest},
                                             {.flavor = Flavor::relaxed, .capacity = unbounded}}) {
    Channel* channel = nullptr;
    ASSERT_EQ(create_channel(options, channel), Status::ok);
    EXPECT_EQ(send(*channel, 20), Status::invalid);
    test::drop_both(channel);
  }
}

TEST_F(Lines, MemoryIsTakenByFirstUseAndReturnedWithChannel) {
  const std::uint64_t before = RingMemory::bytes();
  Channel* channel = new_channel(1024);
  const std::uint64_t slots = RingMemory::bytes() - before;
  Cell cell;
  ASSERT_EQ(channel->try_send(Cell::integer(1), lane), Status::ok);
  ASSERT_EQ(channel->try_recv(cell, lane), Status::ok);
  EXPECT_EQ(RingMemory::bytes(), before + slots);
  ASSERT_EQ(send(*channel, 20), Status::ok);
  EXPECT_EQ(RingMemory::bytes(), before + slots + 1024 * Line::size);
  test::drop_both(channel);
  EXPECT_EQ(RingMemory::bytes(), before);
}

TEST_F(Lines, LargeRingHasNone) {
  Channel* channel = new_channel((1 << 14) + 1);
  EXPECT_EQ(send(*channel, 20), Status::no_memory);
  test::drop_both(channel);
}

TEST_F(Lines, UndeliveredLinesAreDiscarded) {
  for (const bool by_shutdown : {true, false}) {
    Channel* channel = new_channel(8);
    for (int i = 0; i < 3; ++i) ASSERT_EQ(send(*channel, 20), Status::ok);
    ASSERT_EQ(channel->try_send(test::block_message(), lane), Status::ok);
    ASSERT_EQ(send(*channel, 20), Status::ok);
    if (by_shutdown) channel->shutdown(true);
    channel->drop_endpoint(Side::receiver);
    EXPECT_EQ(channel->size(), 0u);
    EXPECT_EQ(channel->stats().received, 0u);
    EXPECT_EQ(channel->stats().sent, 5u);
    channel->drop_endpoint(Side::sender);
  }
}

TEST_F(Lines, BlockedReceiverIsWokenByLine) {
  const test::Watchdog watchdog("a receiver that waits for a line");
  Channel* channel = new_channel(1);
  const Caller caller;
  test::together(2, [&](unsigned thread) {
    for (int i = 0; i < test::rounds(500); ++i) {
      if (thread == 0) {
        const LineMessage message(20);
        while (channel->try_send_line(message.cell, message.line, lane) != Status::ok) std::this_thread::yield();
      } else {
        Cell cell;
        ASSERT_EQ(wait_recv(*channel, cell, caller.round()), Status::ok);
        ASSERT_EQ(text_of(cell), std::string(20, 'l'));
        release(cell);
      }
    }
  });
  test::drop_both(channel);
}

TEST_F(Lines, ManyThreadsReceiveEachMessageOnceAndWhole) {
  const test::Watchdog watchdog("traffic of lines and ints");
  constexpr int kinds = 26;
  const int each = test::rounds(500);
  for (const std::uint64_t capacity : {1u, 2u, 64u}) {
    Channel* channel = new_channel(capacity);
    std::array<std::atomic<int>, kinds> received{};
    std::atomic<int> ints{0}, left{2 * each};
    test::together(4, [&](unsigned thread) {
      for (int i = 0; thread < 2 && i < each; ++i) {
        const LineMessage message(15 + static_cast<std::size_t>(i) % 50, static_cast<char>('a' + i % kinds));
        Status status;
        do {
          status = i % 3 == 0 ? channel->try_send(Cell::integer(i), lane)
                              : channel->try_send_line(message.cell, message.line, lane);
          if (status != Status::ok) std::this_thread::yield();
        } while (status != Status::ok);
      }
      while (thread >= 2 && left.load() > 0) {
        Cell cell;
        Line line;
        if (channel->try_recv(cell, lane, thread == 2 ? &line : nullptr) != Status::ok) {
          std::this_thread::yield();
          continue;
        }
        --left;
        if (cell.tag() == Tag::integer) {
          ++ints;
          continue;
        }
        const std::string text = text_of(cell);
        ASSERT_EQ(text, std::string(text.size(), text[0]));
        ++received[static_cast<std::size_t>(text[0] - 'a')];
        release(cell);
      }
    });
    int sum = ints.load();
    for (const auto& count : received) sum += count.load();
    EXPECT_EQ(sum, 2 * each);
    test::drop_both(channel);
  }
}

TEST_F(Lines, PublicReceiverGetsValue) {
  Sender tx;
  Receiver rx;
  ASSERT_EQ(xichan::channel(8, tx, rx), Status::ok);
  Channel* channel = Registry::open({tx.id().low, tx.id().high}, Side::sender);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(send(*channel, 20, static_cast<char>('a' + i)), Status::ok);
  channel->drop_endpoint(Side::sender);
  Value value;
  ASSERT_EQ(rx.recv_nowait(value), Status::ok);
  EXPECT_EQ(bytes_of(value), "aaaaaaaaaaaaaaaaaaaa");
  Value rest[2];
  std::size_t received;
  ASSERT_EQ(rx.recv_many(rest, received), Status::ok);
  ASSERT_EQ(received, 2u);
  EXPECT_EQ(bytes_of(rest[0]), "bbbbbbbbbbbbbbbbbbbb");
  EXPECT_EQ(bytes_of(rest[1]), "cccccccccccccccccccc");
}

TEST_F(Lines, SpscSenderClaimsItsSide) {
  Channel* channel = nullptr;
  ASSERT_EQ(create_channel({.flavor = Flavor::spsc, .capacity = 4}, channel), Status::ok);
  Lane first(*channel), second(*channel);
  const LineMessage message(20);
  EXPECT_EQ(channel->try_send_line(message.cell, message.line, first), Status::ok);
  EXPECT_EQ(channel->try_send_line(message.cell, message.line, second), Status::invalid);
  EXPECT_EQ(channel->try_send(Cell::none(), second), Status::claimed);
  test::drop_both(channel);
}

}  // namespace
}  // namespace xichan::internal
