// Behavior of single flavors: the claims of spsc, and the byte bound.
#include "channel/channel_kinds.h"
#include "directory/create_channel.h"

namespace xichan::internal {
namespace {

using test::Caller;

class Spsc : public test::ChannelTest {
 protected:
  void SetUp() override { ASSERT_EQ(create_channel({.flavor = Flavor::spsc, .capacity = 2}, channel), Status::ok); }
  void TearDown() override {
    test::drop_both(channel);
    ChannelTest::TearDown();
  }

  Channel* channel = nullptr;
};

TEST_F(Spsc, FirstUserClaimsSide) {
  Lane first, second, receiver;
  Cell cell;
  EXPECT_EQ(channel->try_send(Cell::integer(1), first), Status::ok);
  EXPECT_EQ(channel->try_send(Cell::integer(2), second), Status::claimed);
  EXPECT_EQ(channel->try_recv(cell, receiver), Status::ok);
  EXPECT_EQ(channel->try_recv(cell, second), Status::claimed);
  channel->unclaim(Side::sender, second);
  EXPECT_EQ(channel->try_send(Cell::integer(2), second), Status::claimed) << "it was not its own to give up";
  channel->unclaim(Side::sender, first);
  EXPECT_EQ(channel->try_send(Cell::integer(2), second), Status::ok);
  EXPECT_EQ(channel->try_send(Cell::integer(3), first), Status::claimed);
  EXPECT_EQ(channel->try_recv(cell, receiver), Status::ok);
  EXPECT_EQ(cell.as_integer(), 2);
}

TEST_F(Spsc, LaneOfEndpointClaimsSideOnceAndLosesItWhenReleased) {
  Lane first(*channel), second(*channel), receiver(*channel);
  Cell cell;
  EXPECT_FALSE(first.passes.load()) << "its first call must claim the side";
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(channel->try_send(Cell::integer(i), first), Status::ok);
    ASSERT_EQ(channel->try_send(Cell::integer(i), second), Status::claimed);
    ASSERT_EQ(channel->try_recv(cell, receiver), Status::ok);
  }
  EXPECT_TRUE(first.passes.load());
  EXPECT_FALSE(second.passes.load());
  channel->unclaim(Side::sender, first);
  ASSERT_EQ(channel->try_send(Cell::integer(4), second), Status::ok);
  EXPECT_EQ(channel->try_send(Cell::integer(5), first), Status::claimed);
}

TEST_F(Spsc, BatchIsClaimedWhole) {
  Lane sender(*channel), other(*channel), receiver(*channel);
  Cell cells[4] = {Cell::integer(1), Cell::integer(2), Cell::integer(3), Cell::integer(4)};
  std::uint64_t done;
  ASSERT_EQ(channel->try_send_many(cells, 4, done, sender), Status::ok);
  EXPECT_EQ(done, 2u);
  EXPECT_EQ(channel->try_send_many(cells, 4, done, other), Status::claimed);
  EXPECT_EQ(done, 0u);
  ASSERT_EQ(channel->try_recv_many(cells, 4, done, receiver), Status::ok);
  EXPECT_EQ(done, 2u);
  EXPECT_EQ(channel->try_recv_many(cells, 4, done, other), Status::claimed);
}

TEST(Lane, OfPlainChannelPassesFromTheStart) {
  for (const ChannelOptions& options :
       std::initializer_list<ChannelOptions>{{.capacity = 4},
                                             {.flavor = Flavor::relaxed, .capacity = 4},
                                             {.flavor = Flavor::unbounded, .capacity = unbounded},
                                             {.flavor = Flavor::rendezvous, .capacity = 0},
                                             {.capacity = 4, .max_bytes = 1000},
                                             {.capacity = 4, .overflow = Overflow::drop_newest}}) {
    Channel* channel = nullptr;
    ASSERT_EQ(create_channel(options, channel), Status::ok);
    const bool is_plain = options.capacity == 4 && options.max_bytes == 0 && options.overflow == Overflow::block;
    EXPECT_EQ(Lane(*channel).passes.load(), is_plain);
    test::drop_both(channel);
  }
}

TEST_F(Spsc, OnlyOneOfManyThreadsClaimsSide) {
  const test::Watchdog watchdog("claiming a side");
  for (int round = 0; round < test::rounds(1'000); ++round) {
    Lane lanes[4];
    std::atomic<int> claimed{0}, refused{0}, winner{-1};
    test::together(4, [&](unsigned thread) {
      Status status = channel->try_send(Cell::integer(thread), lanes[thread]);
      if (status == Status::ok) {
        ++claimed;
        winner.store(static_cast<int>(thread));
      } else {
        refused += status == Status::claimed;
      }
    });
    ASSERT_EQ(claimed.load(), 1);
    ASSERT_EQ(refused.load(), 3);
    Cell cell;
    ASSERT_EQ(channel->try_recv(cell, lane), Status::ok);
    ASSERT_EQ(cell.as_integer(), winner.load());
    channel->unclaim(Side::sender, lanes[winner.load()]);
    channel->unclaim(Side::receiver, lane);
  }
}

// Sides pass between threads: one thread at a time has a side, and no message is lost.
TEST_F(Spsc, ClaimedSidePassesBetweenThreads) {
  const test::Watchdog watchdog("an spsc side from hand to hand");
  const int each = test::rounds(2'000);
  int given = 0, taken = 0;  // not atomic: each belongs to the thread that has the side
  test::together(4, [&](unsigned thread) {
    const Side side = thread < 2 ? Side::sender : Side::receiver;
    for (int i = 0; i < each; ++i) {
      Lane own;
      for (test::Backoff backoff;; backoff.pause()) {
        Cell cell;
        if (side == Side::sender) {
          if (channel->try_send(Cell::none(), own) != Status::ok) continue;
          ++given;
        } else {
          if (channel->try_recv(cell, own) != Status::ok) continue;
          ++taken;
        }
        break;
      }
      channel->unclaim(side, own);
    }
  });
  EXPECT_EQ(given, 2 * each);
  EXPECT_EQ(taken, 2 * each);
  EXPECT_EQ(channel->sent(), static_cast<std::uint64_t>(2 * each));
  EXPECT_EQ(channel->size(), 0u);
}

TEST_F(Spsc, ManyThreadsShareOneLane) {
  const test::Watchdog watchdog("threads that share an end");
  const int each = test::rounds(5'000);
  Lane senders, receivers;
  std::atomic<int> received{0};
  test::together(4, [&](unsigned thread) {
    const Caller caller;
    for (int i = 0; i < each; ++i) {
      Cell cell;
      if (thread < 2) {
        ASSERT_EQ(wait_send(*channel, Cell::none(), caller.round(), senders), Status::ok);
      } else {
        ASSERT_EQ(wait_recv(*channel, cell, caller.round(), receivers), Status::ok);
        ++received;
      }
    }
  });
  EXPECT_EQ(received.load(), 2 * each);
}

std::uint64_t cost_and_release(const Cell& cell) {
  const std::uint64_t cost = cost_of(cell);
  release(cell);
  return cost;
}

class MaxBytes : public test::ChannelTest, public ::testing::WithParamInterface<test::ChannelKind> {};

// Senders of unequal size under a bound that fits only the largest message: none of them sleeps indefinitely. All block
// without a timeout; a message that needs every byte competes with others that need few, or none.
TEST_P(MaxBytes, SendersOfUnequalSizeAllSucceed) {
  const test::Watchdog watchdog("senders of unequal size", std::chrono::seconds(60 * test::stress_factor()));
  static constexpr std::size_t sizes[] = {1'000, 20, 0, 700};
  const int each = test::rounds(2'000);
  Channel* channel = nullptr;
  const std::uint64_t bound = cost_and_release(test::block_message(1'000));
  ASSERT_EQ(create_channel(
                {.flavor = GetParam().flavor, .capacity = GetParam().has_capacity ? 3 : unbounded, .max_bytes = bound},
                channel),
            Status::ok);
  std::atomic<int> received{0};
  std::atomic<std::uint64_t> most{0};
  test::together(6, [&](unsigned thread) {
    const Caller caller;
    Lane own;
    if (thread < 4) {
      for (int i = 0; i < each; ++i) {
        const Cell cell = sizes[thread] == 0 ? Cell::none() : test::block_message(sizes[thread]);
        ASSERT_EQ(wait_send(*channel, cell, caller.round(), own), Status::ok);
      }
    } else {
      for (int i = 0; i < 2 * each; ++i) {
        Cell cell;
        ASSERT_EQ(wait_recv(*channel, cell, caller.round(), own), Status::ok);
        release(cell);
        ++received;
        const std::uint64_t bytes = channel->stats().bytes;
        std::uint64_t seen = most.load();
        while (bytes > seen && !most.compare_exchange_weak(seen, bytes)) {
        }
      }
    }
  });
  EXPECT_EQ(received.load(), 4 * each);
  EXPECT_LE(most.load(), bound);
  EXPECT_EQ(channel->stats().bytes, 0u);
  test::drop_both(channel);
}

// The same with senders that keep timing out and trying again.
TEST_P(MaxBytes, SendersThatTimeOutReleaseTheirBytes) {
  const test::Watchdog watchdog("senders that give up", std::chrono::seconds(60 * test::stress_factor()));
  const int each = test::rounds(1'000);
  Channel* channel = nullptr;
  const std::uint64_t bound = cost_and_release(test::block_message(1'000));
  ASSERT_EQ(create_channel(
                {.flavor = GetParam().flavor, .capacity = GetParam().has_capacity ? 2 : unbounded, .max_bytes = bound},
                channel),
            Status::ok);
  test::together(4, [&](unsigned thread) {
    const Caller caller;
    Lane own;
    Cell cell;
    if (thread == 3) {
      for (int i = 0; i < 3 * each; ++i) {
        ASSERT_EQ(wait_recv(*channel, cell, caller.round(), own), Status::ok);
        release(cell);
      }
    } else {
      for (int i = 0; i < each; ++i) {
        cell = test::block_message(thread == 0 ? 1'000 : 300);
        Status status;
        do {
          const Deadline deadline = thread == 1 ? Deadline::after(i % 50 * 1'000) : Deadline::never();
          status = wait_send(*channel, cell, caller.round(deadline), own);
        } while (status == Status::timeout);
        ASSERT_EQ(status, Status::ok);
      }
    }
  });
  EXPECT_EQ(channel->stats().bytes, 0u);
  test::drop_both(channel);
}

INSTANTIATE_TEST_SUITE_P(Kinds, MaxBytes,
                         ::testing::Values(test::ChannelKind{"mpmc", Flavor::mpmc},
                                           test::ChannelKind{"unbounded", Flavor::unbounded, 0, false},
                                           test::ChannelKind{"relaxed", Flavor::relaxed}),
                         test::KindName());

}  // namespace
}  // namespace xichan::internal
