// How channels fail, and what they do when they are full, through what is installed.
#include <thread>
#include <vector>

#include "public/public_support.h"

namespace xichan {
namespace {

using namespace std::chrono_literals;
using test::PublicTest;

constexpr Flavor every_flavor[] = {Flavor::mpmc, Flavor::spsc, Flavor::unbounded, Flavor::relaxed, Flavor::rendezvous};

class Failure : public PublicTest {
 protected:
  static std::string error_of(const auto& endpoint) { return view_of(endpoint.error()).utf8(); }
};

class FailureOfFlavor : public Failure, public testing::WithParamInterface<Flavor> {
 protected:
  static std::pair<Sender, Receiver> open_flavor() { return open({.flavor = GetParam(), .capacity = 4}); }
  static bool queues() { return GetParam() != Flavor::rendezvous; }
};
INSTANTIATE_TEST_SUITE_P(Each, FailureOfFlavor, testing::ValuesIn(every_flavor));

TEST_P(FailureOfFlavor, ReceiverDrainsThenGetsTheErrorOfTheSender) {
  auto [tx, rx] = open_flavor();
  if (queues()) {
    ASSERT_EQ(tx.send(text("queued")), Status::ok);
  }
  tx.close(text("disk full, at row 2"));
  Value value;
  std::size_t count;
  if (queues()) {
    ASSERT_EQ(rx.recv(value), Status::ok);
  }
  EXPECT_EQ(rx.recv(value), Status::failed);
  EXPECT_EQ(rx.recv(value, 1ms), Status::failed);
  EXPECT_EQ(rx.recv_nowait(value), Status::failed);
  EXPECT_EQ(rx.recv_many({&value, 1}, count), Status::failed);
  SelectCase cases[] = {rx};
  EXPECT_EQ(select(cases, count), Status::failed);
  EXPECT_EQ(try_select(cases, count), Status::failed);
  EXPECT_EQ(error_of(rx), "disk full, at row 2");
  EXPECT_TRUE(rx.closed());
}

TEST_P(FailureOfFlavor, SenderGetsTheErrorOfTheReceiver) {
  auto [tx, rx] = open_flavor();
  rx.close(text("no"));
  Value value = text("not sent");
  std::size_t count;
  EXPECT_EQ(tx.send(std::move(value)), Status::failed);
  EXPECT_EQ(tx.send_nowait(std::move(value)), Status::failed);
  EXPECT_EQ(tx.send_many({&value, 1}, count), Status::failed);
  SelectCase cases[] = {{tx, std::move(value)}};
  EXPECT_EQ(select(cases, count), Status::failed);
  EXPECT_EQ(cases[0].value.view().utf8(), "not sent");
  EXPECT_EQ(error_of(tx), "no");
}

TEST_P(FailureOfFlavor, BlockedReceiverGetsTheError) {
  auto [tx, rx] = open_flavor();
  std::jthread closer([&tx = tx] {
    while (tx.stats().waiting_receivers == 0) std::this_thread::yield();
    tx.close(Value::of(7));
  });
  Value value;
  EXPECT_EQ(rx.recv(value), Status::failed);
  EXPECT_EQ(view_of(rx.error()).as_integer(), 7);
}

TEST_P(FailureOfFlavor, ShutdownFailsBothSides) {
  for (const bool immediate : {false, true}) {
    auto [tx, rx] = open_flavor();
    if (queues()) {
      ASSERT_EQ(tx.send(text("queued")), Status::ok);
    }
    rx.shutdown(immediate, text("stop"));
    Value value;
    EXPECT_EQ(tx.send(text("late")), Status::failed);
    if (queues() && !immediate) {
      ASSERT_EQ(rx.recv(value), Status::ok);
    }
    EXPECT_EQ(rx.recv(value), Status::failed);
    EXPECT_EQ(error_of(tx), "stop");
    EXPECT_EQ(error_of(rx), "stop");
  }
}

TEST_F(Failure, FirstErrorIsKeptUntilTheLastSenderCloses) {
  auto [tx, rx] = open({.capacity = 4});
  Sender second = tx.clone();
  Sender third = tx.clone();
  second.close(text("first"));
  EXPECT_EQ(view_of(rx.error()).kind(), ValueKind::none);
  Value value;
  EXPECT_EQ(rx.recv_nowait(value), Status::empty);
  third.close(text("second"));
  ASSERT_EQ(tx.send(text("value")), Status::ok);
  tx.close();
  EXPECT_EQ(rx.recv(value), Status::ok);
  EXPECT_EQ(rx.recv(value), Status::failed);
  EXPECT_EQ(error_of(rx), "first");
}

TEST_F(Failure, ErrorAfterShutdownHasNoEffect) {
  auto [tx, rx] = open({.capacity = 4});
  rx.shutdown();
  tx.close(text("late"));
  Value value;
  EXPECT_EQ(rx.recv(value), Status::closed);
  EXPECT_EQ(view_of(rx.error()).kind(), ValueKind::none);
}

TEST_F(Failure, RegularEndHasNoError) {
  auto [tx, rx] = open({.capacity = 4});
  tx.close();
  Value value;
  EXPECT_EQ(rx.recv(value), Status::closed);
  EXPECT_EQ(view_of(rx.error()).kind(), ValueKind::none);
  EXPECT_EQ(view_of(tx.error()).kind(), ValueKind::none);
}

TEST_F(Failure, ErrorIsReleasedWithTheChannel) {
  auto [tx, rx] = open({.capacity = 4});
  tx.close(text(std::string(1000, 'x')));
  Value kept = rx.error();
  rx.close();
  EXPECT_EQ(kept.view().size(), 1000u);
}  // the fixture finds leaks

TEST_F(Failure, WaitClosedReturnsWhenTheOtherSideIsGone) {
  auto [tx, rx] = open({.capacity = 1});
  EXPECT_EQ(tx.wait_closed(1ms), Status::timeout);
  EXPECT_EQ(rx.wait_closed(0ms), Status::timeout);
  std::jthread waiter([&tx = tx] { EXPECT_EQ(tx.wait_closed(), Status::ok); });
  while (rx.stats().parks == 0) std::this_thread::yield();
  rx.close();
  waiter.join();
  EXPECT_EQ(rx.wait_closed(), Status::end_closed);
}

class OverflowOfFlavor : public PublicTest, public testing::WithParamInterface<Flavor> {
 protected:
  // Eight tuples were sent, and three of them, from number `first` on, were kept.
  static void expect_three_of_eight(Receiver& rx, int first) {
    Value value;
    for (int i = first; i < first + 3; ++i) {
      ASSERT_EQ(rx.recv(value), Status::ok);
      EXPECT_EQ(value.view()[0].as_integer(), i);
    }
    const ChannelStats stats = rx.stats();
    EXPECT_EQ(stats.sent, 8u);
    EXPECT_EQ(stats.dropped, 5u);
    EXPECT_EQ(stats.received, 3u);
  }
};
INSTANTIATE_TEST_SUITE_P(Each, OverflowOfFlavor, testing::Values(Flavor::mpmc, Flavor::spsc, Flavor::relaxed));

TEST_P(OverflowOfFlavor, DropsOldest) {
  auto [tx, rx] = open({.flavor = GetParam(), .capacity = 3, .overflow = Overflow::drop_oldest});
  for (int i = 0; i < 8; ++i) ASSERT_EQ(tx.send_nowait(tuple(i, text("in a block"))), Status::ok);
  EXPECT_EQ(tx.flavor(), GetParam());
  EXPECT_EQ(tx.size(), 3u);
  expect_three_of_eight(rx, 5);
}

TEST_P(OverflowOfFlavor, DropsNewest) {
  auto [tx, rx] = open({.flavor = GetParam(), .capacity = 3, .overflow = Overflow::drop_newest});
  std::vector<Value> values;
  for (int i = 0; i < 8; ++i) values.push_back(tuple(i, text("in a block")));
  std::size_t sent;
  ASSERT_EQ(tx.send_many(values, sent), Status::ok);
  EXPECT_EQ(sent, 8u);
  expect_three_of_eight(rx, 0);
}

TEST_F(Failure, RendezvousCannotDropTheOldest) {
  Sender tx;
  Receiver rx;
  EXPECT_EQ(channel({.capacity = 0, .overflow = Overflow::drop_oldest}, tx, rx), Status::invalid);
  EXPECT_EQ(channel({.capacity = 0, .overflow = Overflow::drop_newest}, tx, rx), Status::ok);
  EXPECT_EQ(tx.send(text("dropped")), Status::ok);
  EXPECT_EQ(tx.stats().dropped, 1u);
}

}  // namespace
}  // namespace xichan
