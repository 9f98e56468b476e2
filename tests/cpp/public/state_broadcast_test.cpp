// Broadcast, BroadcastSender and BroadcastReceiver.
#include <chrono>
#include <stop_token>

#include "public/state_support.h"

namespace xichan {
namespace {

using namespace std::chrono_literals;

class PublicBroadcast : public test::StateTest {
 protected:
  void make(const BroadcastOptions& options) {
    ASSERT_EQ(broadcast(options, sender, subscribe), Status::ok);
    ASSERT_EQ(subscribe.subscribe(receiver), Status::ok);
  }
  void TearDown() override {
    sender.close();
    subscribe.close();
    receiver.close();
    value = Value();
    StateTest::TearDown();
  }
  std::int64_t received(BroadcastReceiver& from) {
    EXPECT_EQ(from.recv(value, 0s), Status::ok);
    return value.view().as_integer();
  }

  BroadcastSender sender;
  Broadcast subscribe;
  BroadcastReceiver receiver;
  Value value;
};

TEST_F(PublicBroadcast, EachSubscriberReceivesEveryMessage) {
  make({.capacity = 4});
  ASSERT_EQ(sender.send(Value::of(1)), Status::ok);
  BroadcastReceiver second;
  ASSERT_EQ(subscribe.subscribe(second), Status::ok);
  EXPECT_EQ(subscribe.subscribers(), 2u);
  EXPECT_EQ(sender.subscribers(), 2u);
  Value block = text("a value that needs a block");
  ASSERT_EQ(sender.send(std::move(block)), Status::ok);
  EXPECT_EQ(block.view().kind(), ValueKind::none);
  EXPECT_EQ(receiver.size(), 2u);
  EXPECT_EQ(received(receiver), 1);
  for (BroadcastReceiver* one : {&receiver, &second}) {
    EXPECT_EQ(one->recv(value), Status::ok);
    EXPECT_EQ(value.view().size(), 26u);
    EXPECT_EQ(one->recv_nowait(value), Status::empty);
    EXPECT_EQ(one->recv(value, 1ms), Status::timeout);
  }
  EXPECT_EQ(value.view().size(), 26u) << "unchanged";
}

TEST_F(PublicBroadcast, InvalidOptionsAreRejected) {
  EXPECT_EQ(broadcast({.capacity = 0}, sender, subscribe), Status::invalid);
  EXPECT_EQ(broadcast({.capacity = UINT64_MAX}, sender, subscribe), Status::too_large);
  EXPECT_EQ(broadcast({.overflow = Overflow::drop_newest}, sender, subscribe), Status::invalid);
  EXPECT_EQ(broadcast({.name = "\xff"}, sender, subscribe), Status::invalid);
  EXPECT_FALSE(sender || subscribe);
}

TEST_F(PublicBroadcast, FullBroadcastBlocksItsSender) {
  make({.capacity = 1});
  EXPECT_EQ(subscribe.capacity(), 1u);
  EXPECT_EQ(sender.overflow(), Overflow::block);
  ASSERT_EQ(sender.send_nowait(Value::of(1)), Status::ok);
  Value kept = text("a value that is not taken over");
  EXPECT_EQ(sender.send_nowait(std::move(kept)), Status::full);
  EXPECT_EQ(sender.send(std::move(kept), 1ms), Status::timeout);
  EXPECT_EQ(sender.send(std::move(kept), 0s), Status::timeout);
  std::stop_source source;
  const auto stop = [&] { source.request_stop(); };
  EXPECT_EQ(
      waited(subscribe, [&] { return sender.send(std::move(kept), source.get_token()); }, stop), Status::cancelled);
  EXPECT_EQ(kept.view().size(), 30u);
  const auto receive = [&] { EXPECT_EQ(received(receiver), 1); };
  EXPECT_EQ(waited(subscribe, [&] { return sender.send(std::move(kept)); }, receive), Status::ok);
  EXPECT_EQ(kept.view().kind(), ValueKind::none);
  EXPECT_EQ(receiver.recv(value), Status::ok);
  EXPECT_EQ(value.view().size(), 30u);
}

TEST_F(PublicBroadcast, EndOfSlowestSubscriptionFreesItsSender) {
  make({.capacity = 1});
  ASSERT_EQ(sender.send(text("a message that only it had left")), Status::ok);
  const auto end = [&] { receiver.close(); };
  EXPECT_EQ(waited(subscribe, [&] { return sender.send(text("a message without subscribers")); }, end), Status::ok);
}

TEST_F(PublicBroadcast, BlockedReceiverIsWokenByMessageStopAndClose) {
  make({.capacity = 1});
  const auto send = [&] { EXPECT_EQ(sender.send(Value::of(1)), Status::ok); };
  EXPECT_EQ(waited(subscribe, [&] { return receiver.recv(value); }, send), Status::ok);
  std::stop_source source;
  const auto stop = [&] { source.request_stop(); };
  EXPECT_EQ(waited(subscribe, [&] { return receiver.recv(value, source.get_token()); }, stop), Status::cancelled);
  EXPECT_EQ(waited(subscribe, [&] { return receiver.recv(value); }, [&] { sender.close(); }), Status::closed);
  EXPECT_EQ(receiver.recv_nowait(value), Status::closed);
  EXPECT_EQ(subscribe.sender(sender), Status::closed);
}

TEST_F(PublicBroadcast, SlowSubscriberLagsOnce) {
  make({.capacity = 2, .overflow = Overflow::drop_oldest});
  EXPECT_EQ(subscribe.overflow(), Overflow::drop_oldest);
  for (int i = 1; i <= 5; ++i) ASSERT_EQ(sender.send(Value::of(i)), Status::ok);
  EXPECT_EQ(receiver.size(), 2u);
  EXPECT_EQ(receiver.recv(value), Status::lagged);
  EXPECT_EQ(receiver.missed(), 3u);
  EXPECT_EQ(received(receiver), 4);
  EXPECT_EQ(received(receiver), 5);
  EXPECT_EQ(receiver.recv_nowait(value), Status::empty);
}

TEST_F(PublicBroadcast, HandlesOfOneSubscriptionTakeTurns) {
  make({.capacity = 4});
  BroadcastReceiver same = receiver.clone();
  EXPECT_TRUE(same == receiver);
  EXPECT_EQ(subscribe.subscribers(), 1u);
  BroadcastSender other;
  ASSERT_EQ(subscribe.sender(other), Status::ok);
  EXPECT_TRUE(other == sender);
  ASSERT_EQ(other.send(Value::of(1)), Status::ok);
  ASSERT_EQ(sender.send(Value::of(2)), Status::ok);
  EXPECT_EQ(received(same), 1);
  EXPECT_EQ(received(receiver), 2);
  sender.close();
  EXPECT_EQ(receiver.recv_nowait(value), Status::empty) << "the other sender is open";
  other.close();
  EXPECT_EQ(receiver.recv(value), Status::closed);
  same.close();
  EXPECT_EQ(same.recv(value), Status::end_closed);
}

TEST_F(PublicBroadcast, ThreadsLoseNoMessage) {
  const test::Watchdog watchdog("broadcast to threads");
  make({.capacity = 8});
  const int rounds = test::rounds(3'000);
  receiver.close();
  BroadcastReceiver receivers[3];
  for (BroadcastReceiver& one : receivers) ASSERT_EQ(subscribe.subscribe(one), Status::ok);
  test::together(4, [&](unsigned thread) {
    if (thread == 3) {
      for (int i = 0; i < rounds; ++i) EXPECT_EQ(sender.send(Value::of(i)), Status::ok);
      return sender.close();
    }
    Value mine;
    for (int i = 0; i < rounds; ++i) {
      EXPECT_EQ(receivers[thread].recv(mine), Status::ok);
      EXPECT_EQ(mine.view().as_integer(), i);
    }
    EXPECT_EQ(receivers[thread].recv(mine), Status::closed);
  });
}

TEST_F(PublicBroadcast, MemoryLimitRefusesMessagesAndKeepsTheValue) {
  make({.capacity = 1});
  Value kept = Value::of(5);
  set_memory_limit(memory_stats().bytes);
  const Status status = sender.send(std::move(kept));
  set_memory_limit(UINT64_MAX);
  EXPECT_EQ(status, Status::arena_full);
  EXPECT_EQ(kept.view().as_integer(), 5);
  EXPECT_EQ(receiver.recv_nowait(value), Status::empty);
}

}  // namespace
}  // namespace xichan
