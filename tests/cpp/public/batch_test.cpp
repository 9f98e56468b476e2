// Several values in one call.
#include <array>

#include "public/public_support.h"

namespace xichan {
namespace {

using namespace std::chrono_literals;

using PublicBatch = test::PublicTest;

TEST_F(PublicBatch, KeepsOrder) {
  auto [tx, rx] = open({.capacity = 10});
  std::array<Value, 5> values;
  for (int i = 0; i < 5; ++i) values[i] = Value::of(i);
  std::size_t count = 99;
  EXPECT_EQ(tx.send_many(values, count), Status::ok);
  EXPECT_EQ(count, 5u);
  EXPECT_EQ(values[0].view().kind(), ValueKind::none);
  std::array<Value, 8> taken;
  EXPECT_EQ(rx.recv_many(std::span(taken).first(3), count), Status::ok);
  EXPECT_EQ(count, 3u);
  EXPECT_EQ(rx.recv_many(std::span(taken).subspan(3), count), Status::ok);
  EXPECT_EQ(count, 2u) << "does not wait for more";
  for (int i = 0; i < 5; ++i) EXPECT_EQ(taken[i].view().as_integer(), i);
}

TEST_F(PublicBatch, StopsAtFullChannelAndKeepsTheRest) {
  auto [tx, rx] = open({.capacity = 2});
  std::array<Value, 4> values;
  for (int i = 0; i < 4; ++i) values[i] = text(std::string(100, static_cast<char>('a' + i)));
  std::size_t count;
  EXPECT_EQ(tx.send_many(values, count, 1ms), Status::timeout);
  EXPECT_EQ(count, 2u);
  EXPECT_EQ(values[1].view().kind(), ValueKind::none);
  EXPECT_EQ(values[2].view().as_ascii(), std::string(100, 'c'));
  EXPECT_EQ(rx.drain([](Value&&) {}), 2u);
  rx.close();
  EXPECT_EQ(tx.send_many(std::span(values).subspan(2), count), Status::closed);
  EXPECT_EQ(count, 0u);
  EXPECT_EQ(values[3].view().size(), 100u);
}

TEST_F(PublicBatch, EmptyBatchSucceeds) {
  auto [tx, rx] = open({});
  std::size_t count = 99;
  EXPECT_EQ(tx.send_many({}, count), Status::ok);
  EXPECT_EQ(count, 0u);
  EXPECT_EQ(rx.recv_many({}, count), Status::ok);
  Value value[1];
  EXPECT_EQ(rx.recv_many(value, count, 1ms), Status::timeout);
  tx.close();
  EXPECT_EQ(rx.recv_many(value, count), Status::closed);
  EXPECT_EQ(tx.send_many(value, count), Status::end_closed);
  rx.close();
  EXPECT_EQ(rx.recv_many(value, count), Status::end_closed);
  EXPECT_EQ(rx.recv_many({}, count), Status::end_closed);
  EXPECT_EQ(rx.drain([](Value&&) {}), 0u);
}

TEST_F(PublicBatch, DrainReceivesOnlyQueuedValues) {
  auto [tx, rx] = open({.capacity = unbounded});
  for (int i = 0; i < 100; ++i) ASSERT_EQ(tx.send(Value::of(i)), Status::ok);
  int next = 0;
  const std::size_t drained = rx.drain([&](Value&& value) {
    EXPECT_EQ(value.view().as_integer(), next++);
    ASSERT_EQ(tx.send(std::move(value)), Status::ok) << "what comes meanwhile is not taken";
  });
  EXPECT_EQ(drained, 100u);
  EXPECT_EQ(rx.size(), 100u);
}

TEST_F(PublicBatch, DeliversBetweenThreads) {
  const test::Watchdog watchdog("batches between threads");
  auto [tx, rx] = open({.capacity = 7});
  const int items = test::rounds(50'000);
  std::thread producer([mine = std::move(tx), items]() mutable {
    std::array<Value, 32> values;
    for (int sent = 0; sent < items;) {
      const int chunk = std::min(32, items - sent);
      for (int i = 0; i < chunk; ++i) values[i] = Value::of(sent + i);
      std::size_t count;
      ASSERT_EQ(mine.send_many(std::span(values).first(chunk), count), Status::ok);
      sent += chunk;
    }
  });
  std::array<Value, 16> values;
  std::size_t count;
  int next = 0;
  Status status;
  while ((status = rx.recv_many(values, count)) == Status::ok) {
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(values[i].view().as_integer(), next++);
  }
  EXPECT_EQ(status, Status::closed);
  EXPECT_EQ(next, items);
  producer.join();
}

}  // namespace
}  // namespace xichan
