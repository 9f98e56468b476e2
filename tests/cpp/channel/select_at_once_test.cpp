// A select that does not block reports that nothing is ready only if at one moment nothing was.
#include <optional>

#include "channel/case_list.h"
#include "channel/channel_kinds.h"
#include "support/stepper.h"
#include "sync/thread_waiter.h"

namespace xichan::internal {
namespace {

using test::CaseList;
using test::Stepper;

// At every moment one of two channels is ready for a select that does not block, while another thread makes the second
// one ready and then uses up the first, by turns.
class SelectAtOnce : public test::ChannelTest, public ::testing::WithParamInterface<test::ChannelKind> {
 protected:
  // Counts the selects that report nothing. `restore` undoes a select.
  template <class Select, class Restore, class Move>
  static int run(Select select, Restore restore, Move move, int selects = 50'000) {
    const test::Watchdog watchdog("a select while messages move");
    std::atomic<bool> stop{false};
    std::thread mover([&] {
      for (unsigned from = 0; !stop.load(); from = 1 - from) move(from);
    });
    int missed = 0;
    for (int i = 0; i < test::rounds(selects); ++i) {
      std::size_t chosen;
      const Status status = select(chosen);
      if (status == Status::ok) {
        restore(chosen);
      } else {
        ++missed;
      }
    }
    stop.store(true);
    mover.join();
    return missed;
  }
  void send(unsigned channel, const Cell& cell) {
    test::await([&] { return channels[channel]->try_send(cell, lane) == Status::ok; });
  }
  void recv(unsigned channel) {
    Cell cell;
    test::await([&] { return channels[channel]->try_recv(cell, lane) == Status::ok; });
    release(cell);
  }
  Status select_message(std::size_t& chosen) {
    CaseList list;
    list.recv(channels[0]).recv(channels[1]);
    const Status status = list.attempt();
    chosen = list.chosen;
    return status;
  }
  void run_sending(const Cell& message) {
    const auto copy = [&] {
      retain(message);
      return message;
    };
    send(0, copy());
    const auto select = [&](std::size_t& chosen) {
      CaseList list;
      list.send(channels[0], message).send(channels[1], message);
      const Status status = list.attempt();
      chosen = list.chosen;
      if (status == Status::ok) retain(message);
      return status;
    };
    const int missed = run(
        select, [&](std::size_t chosen) { recv(static_cast<unsigned>(chosen)); },
        [&](unsigned from) {
          recv(from);
          send(1 - from, copy());
        });
    EXPECT_EQ(missed, 0) << "one of the two channels always had room";
    for (Channel* channel : channels) test::drop_both(channel);
  }

  Channel* channels[2];
};

TEST_P(SelectAtOnce, ReceivesAMessageThatMoves) {
  if (GetParam().is_rendezvous()) return;  // below
  for (Channel*& channel : channels) channel = GetParam().make(4);
  send(0, Cell::integer(7));
  const auto select = [&](std::size_t& chosen) { return select_message(chosen); };
  const int missed = run(
      select, [&](std::size_t chosen) { send(static_cast<unsigned>(chosen), Cell::integer(7)); },
      [&](unsigned from) {
        send(1 - from, Cell::integer(7));
        recv(from);
      });
  EXPECT_EQ(missed, 0) << "one of the two channels always held a message";
  for (Channel* channel : channels) test::drop_both(channel);
}

TEST_P(SelectAtOnce, SendsToASlotThatMoves) {
  if (!GetParam().has_capacity || GetParam().is_rendezvous()) return;
  for (Channel*& channel : channels) channel = GetParam().make(1);
  run_sending(Cell::integer(7));
}

TEST_P(SelectAtOnce, SendsWhereBytesAreFree) {
  if (GetParam().max_bytes == 0) return;
  const Cell message = test::block_message();
  test::ChannelKind one_message = GetParam();
  one_message.max_bytes = cost_of(message);
  for (Channel*& channel : channels) channel = one_message.make(4);
  run_sending(message);
  release(message);
}

TEST_P(SelectAtOnce, ReceivesFromASenderThatMoves) {
  if (!GetParam().is_rendezvous()) return;
  for (Channel*& channel : channels) channel = GetParam().make(0);
  struct Waiting {
    ThreadWaiter waiter;
    WaitNode node;
  };
  std::optional<Waiting> waiting[2];
  const auto come = [&](unsigned channel) {
    waiting[channel].emplace();
    waiting[channel]->node = {.waiter = &waiting[channel]->waiter, .packet = to_packet(Cell::integer(7))};
    channels[channel]->enlist(Side::sender, waiting[channel]->node);
  };
  std::atomic<bool> taken{false};  // until the sender waits again
  come(0);
  const auto select = [&](std::size_t& chosen) { return select_message(chosen); };
  const int missed = run(
      select,
      [&](std::size_t) {
        taken.store(true);
        test::await([&] { return !taken.load(); });
      },
      [&](unsigned from) {
        come(1 - from);
        channels[from]->delist(Side::sender, waiting[from]->node);
        if (!taken.load()) return;
        channels[1 - from]->delist(Side::sender, waiting[1 - from]->node);
        come(1 - from);
        taken.store(false);
      },
      2'000);
  EXPECT_EQ(missed, 0) << "a sender always waited at one of the two";
  for (const unsigned i : {0u, 1u}) {
    if (waiting[i]) channels[i]->delist(Side::sender, waiting[i]->node);
    test::drop_both(channels[i]);
  }
}

// The same, one move at each instruction of the select. The select tries the cases in a random order.
TEST_P(SelectAtOnce, FindsWhatMovesAtAnyInstruction) {
  if (GetParam().is_rendezvous()) return;
  if (!Stepper::available) GTEST_SKIP() << "cannot trap after each instruction";
  const test::Watchdog watchdog("a select that is stopped", std::chrono::seconds(250));
  const long stride = test::stress_factor() > 1 ? 1 : 5;
  const Cell message = Cell::integer(7);
  for (const bool sends : {false, true}) {
    if (sends && !GetParam().has_capacity) continue;
    for (Channel*& channel : channels) channel = GetParam().make(sends ? 1 : 2);
    send(0, message);
    unsigned from = 0;
    for (int order = 0; order < 4; ++order) {
      bool stopped = true;
      for (long n = 1 + order; stopped; n += stride, from = 1 - from) {
        CaseList list;
        for (Channel* channel : channels) sends ? list.send(channel, message) : list.recv(channel);
        Status status;
        Stepper selecting([&] { status = list.attempt(); }, n);
        stopped = selecting.is_stopped();
        // Not by send() and recv(): the select may have taken what is there.
        Cell cell;
        if (sends) (void)channels[from]->try_recv(cell, lane);
        (void)channels[1 - from]->try_send(message, lane);
        if (!sends) (void)channels[from]->try_recv(cell, lane);
        selecting.go_on();
        ASSERT_EQ(status, Status::ok) << "at instruction " << n << (sends ? ", sending" : ", receiving");
        for (Channel* channel : channels) {
          while (channel->try_recv(cell, lane) == Status::ok) {
          }
        }
        send(1 - from, message);
      }
    }
    for (Channel* channel : channels) test::drop_both(channel);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, SelectAtOnce, ::testing::ValuesIn(test::every_kind), test::KindName());

}  // namespace
}  // namespace xichan::internal
