// Select from C++.
#include <vector>

#include "public/public_support.h"

namespace xichan {
namespace {

using namespace std::chrono_literals;

using PublicSelect = test::PublicTest;

TEST_F(PublicSelect, PerformsTheReadyCase) {
  auto [tx1, rx1] = open({});
  auto [tx2, rx2] = open({.capacity = 1});
  ASSERT_EQ(tx2.send(Value::of(2)), Status::ok);
  SelectCase cases[] = {rx1, rx2, {tx2, text("a text that needs a block")}};
  std::size_t chosen = 99;
  ASSERT_EQ(select(cases, chosen), Status::ok);
  ASSERT_EQ(chosen, 1u);
  EXPECT_EQ(cases[1].value.view().as_integer(), 2);
  ASSERT_EQ(try_select(cases, chosen), Status::ok);
  ASSERT_EQ(chosen, 2u);
  EXPECT_EQ(cases[2].value.view().kind(), ValueKind::none) << "sent";
  Value value;
  EXPECT_EQ(rx2.recv_nowait(value), Status::ok);
  EXPECT_EQ(value.view().size(), 25u);
}

TEST_F(PublicSelect, TimesOutInTimeAndKeepsValues) {
  auto [tx, rx] = open({.capacity = 1});
  auto [idle_tx, idle_rx] = open({});
  ASSERT_EQ(tx.send(Value::of(1)), Status::ok);
  SelectCase cases[] = {idle_rx, {tx, text("a text that needs a block")}};
  std::size_t chosen = 99;
  EXPECT_EQ(try_select(cases, chosen), Status::empty);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(select(cases, chosen, 5ms), Status::timeout);
  EXPECT_GE(std::chrono::steady_clock::now() - start, 5ms);
  EXPECT_EQ(chosen, 99u);
  EXPECT_EQ(cases[1].value.view().size(), 25u);
}

TEST_F(PublicSelect, ClosedChannelIsReady) {
  auto [tx, rx] = open({});
  auto [idle_tx, idle_rx] = open({});
  tx.close();
  SelectCase cases[] = {idle_rx, rx};
  std::size_t chosen = 99;
  EXPECT_EQ(select(cases, chosen), Status::closed);
  EXPECT_EQ(chosen, 1u);
  rx.close();
  EXPECT_EQ(select(cases, chosen), Status::end_closed);
  EXPECT_EQ(chosen, 1u);
  EXPECT_EQ(select({}, chosen), Status::invalid);
}

TEST_F(PublicSelect, IsFairAmongManyCases) {
  std::vector<std::pair<Sender, Receiver>> channels;
  std::vector<SelectCase> cases;
  for (int i = 0; i < 20; ++i) channels.push_back(open({.capacity = 1}));
  for (auto& [tx, rx] : channels) {
    ASSERT_EQ(tx.send(Value::of(1)), Status::ok);
    cases.emplace_back(rx);
  }
  std::vector<int> seen(20);
  std::size_t chosen;
  for (int i = 0; i < 2'000; ++i) {
    ASSERT_EQ(select(cases, chosen), Status::ok);
    ++seen[chosen];
    ASSERT_EQ(channels[chosen].first.send(std::move(cases[chosen].value)), Status::ok);
  }
  for (const int count : seen) EXPECT_GT(count, 20);
}

TEST_F(PublicSelect, DeliversToSeveralThreads) {
  const test::Watchdog watchdog("public select between threads");
  const int items = test::rounds(5'000);
  auto [tx1, rx1] = open({.capacity = 2});
  auto [tx2, rx2] = open({.capacity = 0});
  auto [out_tx, out_rx] = open({.capacity = 1});
  const auto produce = [items](Sender& tx) {  // closed by its owner, when all has been counted
    for (int i = 0; i < items; ++i) ASSERT_EQ(tx.send(tuple(i, "a text that needs a block")), Status::ok);
  };
  std::thread one(produce, std::ref(tx1));
  std::thread two(produce, std::ref(tx2));
  int arrived = 0;
  std::thread sink([&arrived, mine = std::move(out_rx)]() mutable {
    Value value;
    for (; mine.recv(value) == Status::ok; ++arrived) ASSERT_EQ(value.view().as_integer(), arrived);
  });
  SelectCase cases[] = {rx1, rx2, {out_tx, Value::of(0)}};
  int counts[3] = {};
  while (counts[0] + counts[1] < 2 * items) {
    std::size_t chosen;
    ASSERT_EQ(select(cases, chosen), Status::ok);
    if (chosen < 2) {
      ASSERT_EQ(cases[chosen].value.view()[0].as_integer(), counts[chosen]);
    } else {
      cases[2].value = Value::of(counts[2] + 1);
    }
    ++counts[chosen];
  }
  out_tx.close();
  one.join();
  two.join();
  sink.join();
  EXPECT_EQ(counts[0], items);
  EXPECT_EQ(arrived, counts[2]);
}

}  // namespace
}  // namespace xichan
