// Channels from C++, through what is installed and nothing else.
#include "support/support.h"
#include "xichan/xichan.h"

namespace xichan {
namespace {

using namespace std::chrono_literals;

class PublicChannel : public test::ArenaTest {
 protected:
  void SetUp() override { ASSERT_EQ(channel(2, sender, receiver), Status::ok); }
  void TearDown() override {
    sender.close();
    receiver.close();
    ArenaTest::TearDown();
  }

  Sender sender;
  Receiver receiver;
};

Value big() {
  Value value;
  EXPECT_EQ(Value::text(std::string(500, 'v'), value), Status::ok);
  return value;
}

TEST_F(PublicChannel, SendsAndReceives) {
  EXPECT_EQ(sender.capacity(), 2u);
  EXPECT_EQ(sender.id(), receiver.id());
  EXPECT_EQ(sender.send(Value::of(1)), Status::ok);
  EXPECT_EQ(sender.send_nowait(big()), Status::ok);
  EXPECT_EQ(receiver.size(), 2u);
  EXPECT_EQ(sender.send_nowait(Value::of(3)), Status::full);
  Value value;
  EXPECT_EQ(receiver.recv(value), Status::ok);
  EXPECT_EQ(value.view().as_integer(), 1);
  EXPECT_EQ(receiver.recv_nowait(value), Status::ok);
  EXPECT_EQ(value.view().size(), 500u);
  EXPECT_EQ(receiver.recv_nowait(value), Status::empty);
  EXPECT_EQ(value.view().size(), 500u) << "left as it was";
}

TEST_F(PublicChannel, FailedSendKeepsValue) {
  ASSERT_EQ(sender.send(Value()), Status::ok);
  ASSERT_EQ(sender.send(Value()), Status::ok);
  Value value = big();
  EXPECT_EQ(sender.send_nowait(std::move(value)), Status::full);
  EXPECT_EQ(sender.send(std::move(value), 1ms), Status::timeout);
  receiver.close();
  EXPECT_EQ(sender.send(std::move(value)), Status::closed);
  EXPECT_EQ(value.view().size(), 500u);
  sender.close();
  EXPECT_EQ(sender.send(std::move(value)), Status::end_closed);
  EXPECT_EQ(value.view().size(), 500u);
}

TEST_F(PublicChannel, TimeoutsAreNeverEarly) {
  Value value;
  for (const Timeout timeout : {Timeout(-5s), Timeout(0), Timeout(1us), Timeout(20ms)}) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(receiver.recv(value, timeout), Status::timeout);
    EXPECT_GE(std::chrono::steady_clock::now() - start, timeout);
  }
}

TEST_F(PublicChannel, ClosingLastEndpointClosesOtherSide) {
  Sender second = sender.clone();
  sender.close();
  EXPECT_TRUE(sender.closed());
  EXPECT_FALSE(sender);
  EXPECT_EQ(second.send(big()), Status::ok);
  second = Sender();
  EXPECT_FALSE(receiver.closed()) << "not drained";
  Value value;
  EXPECT_EQ(receiver.recv(value), Status::ok);
  EXPECT_EQ(receiver.recv(value), Status::closed);
  EXPECT_TRUE(receiver.closed());
}

TEST_F(PublicChannel, EmptyEndpointsReturnEndClosed) {
  Sender none;
  Receiver nothing;
  Value value;
  EXPECT_EQ(none.send(Value()), Status::end_closed);
  EXPECT_EQ(none.send_nowait(Value()), Status::end_closed);
  EXPECT_EQ(nothing.recv(value), Status::end_closed);
  EXPECT_EQ(nothing.recv_nowait(value), Status::end_closed);
  EXPECT_EQ(none.id(), Id{});
  EXPECT_EQ(none.size() + none.capacity(), 0u);
  EXPECT_TRUE(none.closed() && nothing.closed());
  EXPECT_FALSE(none.clone() || nothing.clone());
  none.shutdown();
  none.close();
}

TEST_F(PublicChannel, MoveKeepsOneCount) {
  Sender moved = std::move(sender);
  EXPECT_FALSE(sender);
  sender = std::move(moved);
  Sender& self = sender;
  sender = std::move(self);
  EXPECT_EQ(sender.send(Value::of(1)), Status::ok);
  Receiver other;
  Sender replaced;
  ASSERT_EQ(channel(1, replaced, other), Status::ok);
  replaced = sender.clone();
  Value value;
  EXPECT_EQ(other.recv(value), Status::closed) << "the assignment closed what was there";
}

TEST_F(PublicChannel, OpensByIdWhileChannelLives) {
  const Id id = sender.id();
  {
    const Sender by_id = Sender::from_id(id);
    EXPECT_TRUE(by_id);
    EXPECT_EQ(by_id.id(), id);
    EXPECT_TRUE(Receiver::from_id(id));
  }
  EXPECT_FALSE(Sender::from_id({id.low + 1, id.high}));
  EXPECT_FALSE(Sender::from_id({id.low, id.high + 1}));
  EXPECT_FALSE(Sender::from_id({}));
  sender.close();
  EXPECT_FALSE(Sender::from_id(id)) << "zero is final";
  receiver.close();
  EXPECT_FALSE(Receiver::from_id(id));
}

TEST_F(PublicChannel, ShutdownClosesEveryEndpoint) {
  ASSERT_EQ(sender.send(big()), Status::ok);
  Sender clone = sender.clone();
  sender.shutdown();
  EXPECT_TRUE(clone.closed());
  EXPECT_EQ(clone.send(Value()), Status::closed);
  Value value;
  EXPECT_EQ(receiver.recv(value), Status::ok);
  EXPECT_EQ(receiver.recv(value), Status::closed);
}

TEST_F(PublicChannel, RefusesCapacitiesOutOfRange) {
  Sender tx;
  Receiver rx;
  EXPECT_EQ(channel((std::uint64_t{1} << 24) + 1, tx, rx), Status::too_large);
  EXPECT_EQ(channel(unbounded - 1, tx, rx), Status::too_large);
  EXPECT_EQ(channel({.flavor = Flavor::spsc, .capacity = 0}, tx, rx), Status::invalid);
  EXPECT_EQ(channel({.flavor = Flavor::spsc, .capacity = unbounded}, tx, rx), Status::invalid);
  EXPECT_EQ(channel({.flavor = Flavor::relaxed, .capacity = 0}, tx, rx), Status::invalid);
  EXPECT_FALSE(tx || rx);
  EXPECT_EQ(channel(std::uint64_t{1} << 25, sender, receiver), Status::too_large);
  EXPECT_EQ(sender.capacity(), 2u) << "left as they were";
}

TEST_F(PublicChannel, DeliversBetweenThreads) {
  const test::Watchdog watchdog("public ends between threads");
  const int items = test::rounds(20'000);
  std::thread consumer([mine = std::move(receiver), items]() mutable {
    Value value;
    for (int i = 0; i < items; ++i) {
      ASSERT_EQ(mine.recv(value), Status::ok);
      ASSERT_EQ(value.view().as_integer(), i);
    }
    EXPECT_EQ(mine.recv(value), Status::closed);
  });
  for (int i = 0; i < items; ++i) ASSERT_EQ(sender.send(Value::of(i)), Status::ok);
  sender.close();
  consumer.join();
}

}  // namespace
}  // namespace xichan
