// Select: fair, exactly one effect, no token lost.
#include "channel/case_list.h"
#include "channel/channel_kinds.h"

namespace xichan::internal {
namespace {

using test::Caller;
using test::CaseList;
using test::new_channel;

class Select : public test::ChannelTest {
 protected:
  void SetUp() override {
    for (Channel*& channel : channels) channel = new_channel(4);
  }
  void TearDown() override {
    for (Channel* channel : channels) {
      for (const Side side : test::both_sides) EXPECT_EQ(channel->waiting(side), 0u);
      test::drop_both(channel);
    }
    ChannelTest::TearDown();
  }

  Channel* channels[8];
};

TEST_F(Select, TryAnyPerformsTheReadyCase) {
  CaseList list;
  for (Channel* channel : channels) list.recv(channel);
  EXPECT_EQ(list.attempt(), Status::empty);
  for (std::size_t i = 0; i < std::size(channels); ++i) {
    ASSERT_EQ(channels[i]->try_send(Cell::integer(static_cast<std::int64_t>(i)), lane), Status::ok);
    ASSERT_EQ(list.attempt(), Status::ok);
    EXPECT_EQ(list.chosen, i);
    EXPECT_EQ(list.cell().as_integer(), static_cast<std::int64_t>(i));
    EXPECT_EQ(list.attempt(), Status::empty);
  }
}

TEST_F(Select, ReadyCasesAreEquallyLikely) {
  CaseList list;
  for (std::size_t i = 0; i < std::size(channels); ++i) {
    if (i % 2) {
      list.send(channels[i], Cell::none());
    } else {
      list.recv(channels[i]);
    }
  }
  constexpr int turns = 4'000;
  int counts[8] = {};
  for (int turn = 0; turn < turns; ++turn) {
    for (std::size_t i = 0; i < std::size(channels); i += 2) {
      if (channels[i]->size() == 0) {
        ASSERT_EQ(channels[i]->try_send(Cell::none(), lane), Status::ok);
      }
    }
    ASSERT_EQ(list.attempt(), Status::ok);
    ++counts[list.chosen];
    Cell cell;
    if (list.chosen % 2) {
      ASSERT_EQ(channels[list.chosen]->try_recv(cell, lane), Status::ok);
    }
  }
  for (const int count : counts) EXPECT_GE(count, turns / 8 / 2);
}

TEST_F(Select, AnyCaseWakesSelect) {
  const test::Watchdog watchdog("a select is woken");
  for (std::size_t ready = 0; ready < std::size(channels); ++ready) {
    std::thread waiting([&] {
      CaseList list;
      for (Channel* channel : channels) list.recv(channel);
      EXPECT_EQ(list.wait(), Status::ok);
      EXPECT_EQ(list.chosen, ready);
      EXPECT_EQ(list.cell().as_integer(), 7);
    });
    test::await([&] { return channels[std::size(channels) - 1]->waiting(Side::receiver) == 1; });
    for (Channel* channel : channels) test::await([&] { return channel->waiting(Side::receiver) == 1; });
    EXPECT_EQ(channels[ready]->try_send(Cell::integer(7), lane), Status::ok);
    waiting.join();
    for (Channel* channel : channels) {
      EXPECT_EQ(channel->size(), 0u);
      EXPECT_EQ(channel->waiting(Side::receiver), 0u);
    }
  }
}

TEST_F(Select, SameChannelMayAppearTwiceAndOnBothSides) {
  const test::Watchdog watchdog("one channel in several cases");
  Channel* channel = new_channel(1);
  ASSERT_EQ(channel->try_send(Cell::integer(0), lane), Status::ok);
  CaseList sends;
  sends.send(channel, Cell::integer(1)).send(channel, Cell::integer(2));
  std::thread sender([&] { EXPECT_EQ(sends.wait(), Status::ok); });
  test::await([&] { return channel->waiting(Side::sender) == 2; });
  Cell cell;
  ASSERT_EQ(channel->try_recv(cell, lane), Status::ok);
  sender.join();
  EXPECT_EQ(channel->waiting(Side::sender), 0u);
  EXPECT_EQ(channel->size(), 1u) << "one effect";
  // Over both sides: with capacity one and one queued value only the receive is possible, then only the send, and so
  // on.
  CaseList both;
  both.recv(channel).send(channel, Cell::integer(3));
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(both.wait(), Status::ok);
    EXPECT_EQ(both.chosen, static_cast<std::size_t>(i % 2));
    both[1].cell = Cell::integer(3);
  }
  ASSERT_EQ(channel->try_recv(cell, lane), Status::ok);
  test::drop_both(channel);
}

TEST_F(Select, TimeoutSendsAndReceivesNothing) {
  ASSERT_EQ(channels[0]->try_send(Cell::none(), lane), Status::ok);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(channels[0]->try_send(Cell::none(), lane), Status::ok);
  CaseList list;
  list.send(channels[0], Cell::none()).recv(channels[1]).recv(channels[2]);
  const std::int64_t start = Deadline::now();
  EXPECT_EQ(list.wait(Deadline::after(2'000'000)), Status::timeout);
  EXPECT_GE(Deadline::now() - start, 2'000'000);
  EXPECT_EQ(channels[0]->size(), 4u);
  Cell cell;
  while (channels[0]->try_recv(cell, lane) == Status::ok) {
  }
}

TEST_F(Select, ClosedChannelIsReady) {
  const test::Watchdog watchdog("a channel of a select is closed");
  Channel* closing = new_channel(1);
  std::thread waiting([&] {
    CaseList list;
    list.recv(channels[0]).recv(closing).recv(channels[1]);
    EXPECT_EQ(list.wait(), Status::closed);
    EXPECT_EQ(list.chosen, 1u);
  });
  test::await([&] { return closing->waiting(Side::receiver) == 1 && channels[1]->waiting(Side::receiver) == 1; });
  closing->drop_endpoint(Side::sender);
  waiting.join();
  closing->drop_endpoint(Side::receiver);
}

TEST_F(Select, ClosingAnEndpointEndsSelect) {
  const test::Watchdog watchdog("an end of a select is closed");
  CaseList list;
  Caller other;
  list.recv(channels[0]).recv(channels[1]).recv(channels[2]);
  list[1].owner = &other;
  list[1].end_closed = &other.closed;
  std::thread waiting([&] {
    EXPECT_EQ(list.wait(), Status::end_closed);
    EXPECT_EQ(list.chosen, 1u);
  });
  for (Channel* channel : {channels[0], channels[1], channels[2]}) {
    test::await([&] { return channel->waiting(Side::receiver) == 1; });
  }
  other.close(*channels[1], Side::receiver);
  waiting.join();
}

TEST_F(Select, ExitingOwnerInterruptsSelect) {
  const test::Watchdog watchdog("a select is nudged");
  CaseList list;
  list.recv(channels[0]).recv(channels[1]);
  std::thread waiting([&] { EXPECT_EQ(list.wait(), Status::interrupted); });
  test::await([&] { return channels[0]->waiting(Side::receiver) == 1 && channels[1]->waiting(Side::receiver) == 1; });
  list.owner_exiting.store(true);
  channels[1]->nudge();
  waiting.join();
}

// A select is notified for one channel while it proceeds with another: a plain receiver of the first must not sleep.
TEST_F(Select, SelectThatTookAnotherCasePassesTokenOn) {
  const test::Watchdog watchdog("tokens of selects");
  Channel& a = *channels[0];
  Channel& b = *channels[1];
  for (int round = 0; round < test::rounds(3'000); ++round) {
    std::atomic<int> select_took{-1};
    test::together(4, [&](unsigned thread) {
      const Caller caller;
      Cell cell;
      if (thread == 0) {
        CaseList list;
        list.recv(&a).recv(&b);
        EXPECT_EQ(list.wait(), Status::ok);
        select_took.store(static_cast<int>(list.chosen));
      } else if (thread == 1) {
        EXPECT_EQ(wait_recv(a, cell, caller.round()), Status::ok);
      } else if (thread == 2) {
        EXPECT_EQ(a.try_send(Cell::none(), lane), Status::ok);
        test::await([&] { return select_took.load() >= 0; });
        if (select_took.load() == 0) {
          EXPECT_EQ(a.try_send(Cell::none(), lane), Status::ok);
        }
      } else {
        EXPECT_EQ(b.try_send(Cell::none(), lane), Status::ok);
      }
    });
    Cell cell;
    ASSERT_EQ(b.try_recv(cell, lane), select_took.load() == 0 ? Status::ok : Status::empty);
    ASSERT_EQ(a.try_recv(cell, lane), Status::empty);
  }
}

class SelectTraffic : public test::ChannelTest, public ::testing::WithParamInterface<test::ChannelKind> {};

// Selects and plain calls on both sides of three channels: each message arrives once.
TEST_P(SelectTraffic, DeliversEachMessageOnce) {
  const test::Watchdog watchdog("selects", std::chrono::seconds(60 * test::stress_factor()));
  constexpr unsigned senders = 3, receivers = 3, width = 3;
  const int each = test::rounds(3'000);
  Channel* channels[width];
  for (Channel*& channel : channels) {
    channel = GetParam().make(2);
    for (unsigned i = 1; i < senders; ++i) channel->add_endpoint(Side::sender);
    for (unsigned i = 1; i < receivers; ++i) channel->add_endpoint(Side::receiver);
  }
  std::vector<std::atomic<int>> seen(senders * static_cast<std::size_t>(each));
  test::together(senders + receivers, [&](unsigned thread) {
    Lane lanes[width];
    const Side side = thread < senders ? Side::sender : Side::receiver;
    if (side == Side::sender) {
      for (int i = 0; i < each; ++i) {
        CaseList list;
        const Cell cell = Cell::integer(static_cast<std::int64_t>(thread) * each + i);
        for (unsigned c = 0; c < width; ++c) {
          if (i % 4 || c == thread) list.send(channels[c], cell, lanes[c]);
        }
        ASSERT_EQ(list.wait(), Status::ok);
      }
    } else {
      unsigned open = (1u << width) - 1;
      while (open != 0) {
        CaseList list;
        std::vector<unsigned> which;
        for (unsigned c = 0; c < width; ++c) {
          if ((open & 1u << c) == 0) continue;
          list.recv(channels[c], lanes[c]);
          which.push_back(c);
        }
        const Status status = list.wait();
        if (status == Status::closed) {
          open &= ~(1u << which[list.chosen]);
          continue;
        }
        ASSERT_EQ(status, Status::ok);
        ++seen[static_cast<std::size_t>(list.cell().as_integer())];
      }
    }
    for (unsigned c = 0; c < width; ++c) channels[c]->drop_endpoint(side);
  });
  for (const std::atomic<int>& count : seen) ASSERT_EQ(count.load(), 1);
}

INSTANTIATE_TEST_SUITE_P(Kinds, SelectTraffic, ::testing::ValuesIn(test::many_to_many), test::KindName());

}  // namespace
}  // namespace xichan::internal
