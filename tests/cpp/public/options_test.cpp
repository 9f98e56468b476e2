// Channels of every flavor from C++, and their properties.
#include "public/public_support.h"

namespace xichan {
namespace {

using namespace std::chrono_literals;

using PublicOptions = test::PublicTest;

TEST_F(PublicOptions, DefaultsMatchPython) {
  auto [tx, rx] = open({});
  EXPECT_EQ(tx.capacity(), 1024u);
  EXPECT_EQ(rx.flavor(), Flavor::mpmc);
  EXPECT_EQ(tx.max_bytes(), 0u);
  EXPECT_EQ(tx.name(), "");
  EXPECT_EQ(open({.capacity = 0}).first.flavor(), Flavor::rendezvous);
  EXPECT_EQ(open({.flavor = Flavor::rendezvous}).first.capacity(), 0u);
  EXPECT_EQ(open({.capacity = unbounded}).first.flavor(), Flavor::unbounded);
  EXPECT_EQ(open({.flavor = Flavor::unbounded}).first.capacity(), unbounded);
  EXPECT_EQ(open({.flavor = Flavor::relaxed, .capacity = unbounded}).first.flavor(), Flavor::relaxed);
}

TEST_F(PublicOptions, EveryFlavorDelivers) {
  const test::Watchdog watchdog("public flavors");
  for (const ChannelOptions& options :
       {ChannelOptions{.capacity = 3}, ChannelOptions{.flavor = Flavor::spsc, .capacity = 3},
        ChannelOptions{.capacity = unbounded}, ChannelOptions{.flavor = Flavor::relaxed, .capacity = 3},
        ChannelOptions{.flavor = Flavor::relaxed, .capacity = unbounded}, ChannelOptions{.capacity = 0},
        ChannelOptions{.capacity = 3, .max_bytes = 10'000}}) {
    auto [tx, rx] = open(options);
    const int items = test::rounds(2'000);
    std::thread producer([mine = std::move(tx), items]() mutable {
      for (int i = 0; i < items; ++i) ASSERT_EQ(mine.send(tuple(i, "a text that needs a block")), Status::ok);
    });
    Value value;
    for (int i = 0; i < items; ++i) {
      ASSERT_EQ(rx.recv(value), Status::ok);
      ASSERT_EQ(value.view()[0].as_integer(), i);
    }
    EXPECT_EQ(rx.recv(value), Status::closed);
    EXPECT_EQ(rx.stats().received, static_cast<std::uint64_t>(items));
    producer.join();
  }
}

TEST_F(PublicOptions, MaxBytesBoundsQueuedBytes) {
  auto [tx, rx] = open({.max_bytes = 1'000});
  EXPECT_EQ(tx.max_bytes(), 1'000u);
  EXPECT_EQ(tx.send_nowait(bytes(std::string(2'000, 'x'))), Status::too_large);
  EXPECT_EQ(tx.send_nowait(bytes(std::string(600, 'x'))), Status::ok);
  EXPECT_EQ(tx.send_nowait(bytes(std::string(600, 'x'))), Status::full);
  Value shared;
  ASSERT_EQ(bytes(std::string(2'000, 'x')).share(shared), Status::ok);
  EXPECT_EQ(tx.send_nowait(std::move(shared)), Status::ok) << "what is shared costs nothing";
  EXPECT_EQ(rx.drain([](Value&&) {}), 2u);
}

TEST_F(PublicOptions, FirstUserClaimsSpscSide) {
  auto [tx, rx] = open({.flavor = Flavor::spsc, .capacity = 4});
  EXPECT_FALSE(tx.clone() || rx.clone());
  Sender other = Sender::from_id(tx.id());
  EXPECT_EQ(tx.send(Value::of(1)), Status::ok);
  Value value = text("a text that needs a block");
  std::size_t chosen = 99;
  EXPECT_EQ(other.send(std::move(value)), Status::claimed);
  SelectCase cases[] = {{other, std::move(value)}};
  EXPECT_EQ(select(cases, chosen), Status::claimed);
  EXPECT_EQ(chosen, 0u);
  tx.close();
  EXPECT_EQ(other.send(std::move(cases[0].value)), Status::ok);
  EXPECT_EQ(rx.recv(value), Status::ok);
  Receiver second = Receiver::from_id(rx.id());
  EXPECT_EQ(second.recv(value), Status::claimed);
  EXPECT_EQ(second.drain([](Value&&) {}), 0u);
}

TEST_F(PublicOptions, StatsCountMessagesAndEndpoints) {
  auto [tx, rx] = open({.capacity = 10, .max_bytes = 10'000});
  Sender clone = tx.clone();
  for (int i = 0; i < 3; ++i) ASSERT_EQ(tx.send(bytes(std::string(100, 'x'))), Status::ok);
  Value value;
  ASSERT_EQ(rx.recv(value), Status::ok);
  const ChannelStats stats = rx.stats();
  EXPECT_EQ(stats.depth, 2u);
  EXPECT_EQ(stats.sent, 3u);
  EXPECT_EQ(stats.received, 1u);
  EXPECT_GE(stats.bytes, 200u);
  EXPECT_EQ(stats.senders, 2u);
  EXPECT_EQ(stats.receivers, 1u);
  EXPECT_EQ(stats.waiting_senders + stats.waiting_receivers, 0u);
}

}  // namespace
}  // namespace xichan
