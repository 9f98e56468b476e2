// Wake-token rule (a), forced: two receivers sleep, and of two senders the second publishes first.
//
// The ring, the wait list and the waiters are those of the channel. The channel's own part is repeated here in small,
// so that rule (a) can be left out. A sender is stopped between claim and publish, where its item is copied.
#include "channel/channel_support.h"
#include "ring/mpmc.h"
#include "support/gate.h"
#include "sync/thread_waiter.h"

namespace xichan::internal {
namespace {

using test::Gate;
using Item = test::GatedItem;

template <bool rule_a>
class Miniature {
 public:
  void send(const Item& item) {
    ASSERT_EQ(ring_.try_push(item), Status::ok);
    receivers_.notify_one();
  }

  int recv() {
    Item item;
    for (;;) {
      ThreadWaiter waiter;
      WaitNode node{.waiter = &waiter};
      receivers_.add(node);
      if (!ring_.can_pop()) {
        ++parks_;
        (void)waiter.park(Deadline::never());
      }
      receivers_.remove(node);
      if (ring_.try_pop(item) != Status::ok) continue;
      if (rule_a && receivers_.has_attention() && ring_.can_pop()) receivers_.notify_one();
      return item.value;
    }
  }

  bool can_recv() const { return ring_.can_pop(); }
  std::uint32_t waiting() const { return receivers_.waiting(); }
  int parks() const { return parks_.load(); }
  void rescue() { receivers_.notify_one(); }

 private:
  MpmcRing<Item> ring_{2};
  Mutex lock_;
  WaitList receivers_{lock_};
  std::atomic<int> parks_{0};
};

// Runs the scenario until one receiver has a message and both senders have returned.
template <bool rule_a>
void out_of_order(Miniature<rule_a>& channel, std::vector<std::thread>& receivers, std::atomic<int>& done) {
  for (int i = 0; i < 2; ++i) {
    receivers.emplace_back([&] {
      EXPECT_GT(channel.recv(), 0);
      ++done;
    });
  }
  test::await([&] { return channel.waiting() == 2 && channel.parks() == 2; });
  Gate gate;
  std::thread first([&] { channel.send(Item(1, &gate)); });
  gate.await_arrival();
  channel.send(Item(2));  // published, but behind the first: the woken receiver finds no message and sleeps again
  test::await([&] { return channel.waiting() == 2 && channel.parks() == 3; });
  gate.open();
  first.join();  // now the first is published too, and one more receiver has been woken
  test::await([&] { return done.load() >= 1; });
}

TEST(Tokens, WithRuleABothReceiversGetAMessage) {
  const test::Watchdog watchdog("out of order, with rule (a)");
  for (int round = 0; round < test::rounds(300); ++round) {
    Miniature<true> channel;
    std::vector<std::thread> receivers;
    std::atomic<int> done{0};
    out_of_order(channel, receivers, done);
    for (std::thread& receiver : receivers) receiver.join();
    ASSERT_EQ(done.load(), 2);
    ASSERT_FALSE(channel.can_recv());
  }
}

TEST(Tokens, WithoutRuleAOneReceiverMissesItsWakeUp) {
  const test::Watchdog watchdog("out of order, without rule (a)");
  for (int round = 0; round < test::rounds(30); ++round) {
    Miniature<false> channel;
    std::vector<std::thread> receivers;
    std::atomic<int> done{0};
    out_of_order(channel, receivers, done);
    // The other receiver is in the list although an item is queued. No thread is left to wake it: the senders have
    // returned, and so has the first receiver.
    ASSERT_EQ(channel.waiting(), 1u);
    ASSERT_TRUE(channel.can_recv());
    ASSERT_EQ(done.load(), 1);
    channel.rescue();
    for (std::thread& receiver : receivers) receiver.join();
    ASSERT_EQ(done.load(), 2);
  }
}

}  // namespace
}  // namespace xichan::internal
