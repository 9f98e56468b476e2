// A thread is stopped at an instruction of a call, one after the other: calls that do not block return meanwhile, those
// that would block go to sleep, and nothing is lost when the thread goes on.
//
// No thread waits for the channel while the peer begins its call: notifying a waiter takes a lock, which is documented
// in docs/explanation/reliability.md.
#include <utility>

#include "channel/channel_kinds.h"
#include "support/stepper.h"
#include "sync/thread_waiter.h"

namespace xichan::internal {
namespace {

using test::ChannelKind;
using test::Stepper;

constexpr std::uint64_t capacity = 2;
constexpr int segment_slots = 2728;  // of SegmentedRing: positions at which segments are linked and retired

// A channel whose endpoints this thread and the peer share, and what they have sent and received.
class Shared {
 public:
  Shared(const ChannelKind& kind, int queued)
      : channel_(kind.make(capacity)), message_(kind.max_bytes != 0 ? test::block_message() : Cell::integer(7)) {
    if (!kind.has_capacity) {
      for (int i = 0; i < segment_slots - 1; ++i) move_one();
    }
    for (int i = 0; i < queued; ++i) send();
  }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;

  Channel& channel() { return *channel_; }
  Status try_send() {
    const Cell cell = message();
    const Status status = channel_->try_send(cell, send_lane_);
    settle(&cell, 1, status == Status::ok);
    return status;
  }
  Status try_recv() {
    Cell cell;
    const Status status = channel_->try_recv(cell, recv_lane_);
    take(&cell, status == Status::ok);
    return status;
  }
  void send() { (void)try_send(); }
  void recv() { (void)try_recv(); }
  void send_many() {
    const Cell cells[] = {message(), message(), message()};
    std::uint64_t done;
    (void)channel_->try_send_many(cells, 3, done, send_lane_);
    settle(cells, 3, done);
  }
  void recv_many() {
    Cell cells[3];
    std::uint64_t done;
    (void)channel_->try_recv_many(cells, 3, done, recv_lane_);
    take(cells, done);
  }
  // Sends or receives, whichever succeeds.
  void select() {
    Case cases[] = {as_case(Side::receiver, {}), as_case(Side::sender, message())};
    const Cell offered = cases[1].cell;
    std::size_t chosen;
    const bool done = try_any(cases, chosen) == Status::ok;
    settle(&offered, 1, done && chosen == 1);
    take(&cases[0].cell, done && chosen == 0);
  }
  void look() {
    (void)channel_->stats();
    (void)channel_->size();
    for (const Side side : test::both_sides) (void)channel_->finished_for(side);
  }
  void drop(Side side) {
    dropped_[static_cast<unsigned>(side)] = true;
    channel_->drop_endpoint(side);
  }

  // Expects a call that cannot proceed to go to sleep. Leaves `node` enlisted if so, and else returns false.
  bool sleeps(Side side, WaitNode& node, Waiter& waiter) {
    const Status status = side == Side::sender ? try_send() : try_recv();
    if (status != Status::full && status != Status::empty) return false;
    node = {.waiter = &waiter};
    if (side == Side::sender) node.cost = cost_of(message_);
    EXPECT_FALSE(channel_->enlist(side, node)) << "a waiting call spins";
    return true;
  }
  // Releases the channel: everything that was accepted has been received or discarded.
  void finish() {
    channel_->shutdown(true);
    const ChannelStats stats = channel_->stats();
    EXPECT_EQ(stats.sent, sent_.load());
    EXPECT_EQ(stats.depth, 0u);
    EXPECT_EQ(stats.bytes, 0u);
    for (const Side side : test::both_sides) {
      if (!dropped_[static_cast<unsigned>(side)]) channel_->drop_endpoint(side);
    }
    release(message_);
  }

 private:
  // All messages share a block, so that the peer neither allocates nor frees: it might be stopped under a lock of
  // malloc.
  Cell message() {
    retain(message_);
    return message_;
  }
  Case as_case(Side side, const Cell& cell) {
    return {.channel = channel_,
            .side = side,
            .lane = side == Side::sender ? &send_lane_ : &recv_lane_,
            .end_closed = &open_,
            .owner = this,
            .cell = cell,
            .node = {}};
  }
  void move_one() {
    send();
    recv();
  }
  void settle(const Cell* cells, std::uint64_t count, std::uint64_t sent) {
    sent_ += sent;
    for (std::uint64_t i = sent; i < count; ++i) release(cells[i]);
  }
  void take(const Cell* cells, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) release(cells[i]);
  }

  Channel* channel_;
  const Cell message_;
  Lane send_lane_, recv_lane_;
  const atomic<bool> open_{false};
  std::atomic<std::uint64_t> sent_{0};
  bool dropped_[2] = {};
};

struct PeerCall {
  const char* name;
  void (*run)(Shared&);
};
constexpr PeerCall peer_calls[] = {
    {"send", [](Shared& shared) { shared.send(); }},
    {"recv", [](Shared& shared) { shared.recv(); }},
    {"send_many", [](Shared& shared) { shared.send_many(); }},
    {"recv_many", [](Shared& shared) { shared.recv_many(); }},
    {"select", [](Shared& shared) { shared.select(); }},
    {"look", [](Shared& shared) { shared.look(); }},
    {"shutdown", [](Shared& shared) { shared.channel().shutdown(false); }},
    {"shutdown_immediate", [](Shared& shared) { shared.channel().shutdown(true); }},
    {"close_sender", [](Shared& shared) { shared.drop(Side::sender); }},
    {"close_receiver", [](Shared& shared) { shared.drop(Side::receiver); }},
};

// Calls everything that must not block. `ending` chooses how the channel is closed, if at all.
void call_everything(Shared& shared, long ending) {
  shared.look();
  shared.send();
  shared.recv();
  shared.send_many();
  shared.select();
  if (ending == 1) shared.channel().shutdown(false);
  if (ending == 2) shared.channel().shutdown(true);
  shared.recv_many();
  shared.look();
}

class StoppedPeer : public test::ChannelTest, public ::testing::WithParamInterface<ChannelKind> {};

TEST_P(StoppedPeer, BlocksNoOtherCallAtAnyInstruction) {
  if (!Stepper::available) GTEST_SKIP() << "cannot trap after each instruction";
  const test::Watchdog watchdog("a peer stopped in a call", std::chrono::seconds(250));
  const long stride = test::stress_factor() > 1 ? 1 : 13;  // every instruction under XICHAN_STRESS=2
  long first = 0;
  for (const PeerCall& call : peer_calls) {
    SCOPED_TRACE(call.name);
    for (const int queued : {0, 1, 2}) {
      if (queued == 1 && GetParam().has_capacity) continue;  // the place where segments are linked
      bool stopped = true;
      for (long n = 1 + ++first % stride; stopped; n += stride) {
        SCOPED_TRACE(n);
        Shared shared(GetParam(), queued);
        Stepper peer([&] { call.run(shared); }, n);
        stopped = peer.is_stopped();
        call_everything(shared, n / stride % 3);

        WaitNode nodes[2];
        ThreadWaiter waiters[2];
        bool asleep[2] = {};
        for (const Side side : test::both_sides) {
          const auto i = static_cast<unsigned>(side);
          asleep[i] = GetParam().is_rendezvous() ? false : shared.sleeps(side, nodes[i], waiters[i]);
        }
        peer.go_on();
        for (const Side side : test::both_sides) {
          const auto i = static_cast<unsigned>(side);
          if (!asleep[i]) continue;
          shared.channel().delist(side, nodes[i]);
          if (waiters[i].is_decided()) continue;
          const Status status = side == Side::sender ? shared.try_send() : shared.try_recv();
          EXPECT_TRUE(status == Status::full || status == Status::empty) << "a wake-up was lost";
        }
        shared.finish();
        if (HasFailure()) return;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, StoppedPeer, ::testing::ValuesIn(test::every_kind), test::KindName());

}  // namespace
}  // namespace xichan::internal
