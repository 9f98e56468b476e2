// Names of channels and of values.
#include "public/public_support.h"

namespace xichan {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

using PublicNames = test::PublicTest;

TEST_F(PublicNames, FindsChannelWhileItLives) {
  auto [tx, rx] = open({.name = "prices"});
  EXPECT_EQ(tx.name(), "prices");
  Sender found;
  Receiver listener;
  EXPECT_EQ(Sender::lookup("prices", found), Status::ok);
  EXPECT_EQ(Receiver::lookup("prices", listener), Status::ok);
  EXPECT_TRUE(found.id() == tx.id() && listener.id() == tx.id());
  Sender other;
  Receiver another;
  EXPECT_EQ(channel({.name = "prices"}, other, another), Status::name_taken);
  EXPECT_FALSE(other || another);
  tx.close(), rx.close(), found.close(), listener.close();
  EXPECT_EQ(Sender::lookup("prices", found, 1ms), Status::not_found);
  EXPECT_EQ(channel({.name = "prices"}, other, another), Status::ok);
}

TEST_F(PublicNames, RejectsNamesThatAreNotUtf8) {
  Sender tx;
  Receiver rx;
  for (const std::string& bad : {"\xff"s, "\xed\xa0\x80"s, "half \xe2\x82"s}) {
    EXPECT_EQ(channel({.name = bad}, tx, rx), Status::invalid);
    EXPECT_EQ(publish(bad, Value()), Status::invalid);
  }
  EXPECT_EQ(publish("", Value()), Status::invalid);
  EXPECT_EQ(channel({.name = "\u20ac\ud7ff\0 x"}, tx, rx), Status::ok);
}

TEST_F(PublicNames, KeepsPublishedValues) {
  Value value = text("a text that needs a block");
  EXPECT_EQ(publish("greeting", std::move(value)), Status::ok);
  EXPECT_EQ(value.view().kind(), ValueKind::none);
  value = text("another text that needs a block");
  EXPECT_EQ(publish("greeting", std::move(value)), Status::name_taken);
  EXPECT_EQ(value.view().size(), 31u);
  EXPECT_EQ(lookup("greeting", value), Status::ok);
  EXPECT_EQ(value.view().as_ascii(), "a text that needs a block");
  Sender tx;
  EXPECT_EQ(Sender::lookup("greeting", tx), Status::not_found) << "no channel";
  EXPECT_EQ(unpublish("greeting"), Status::ok);
  EXPECT_EQ(unpublish("greeting"), Status::not_found);
  EXPECT_EQ(lookup("greeting", value, 1ms), Status::not_found);
  EXPECT_EQ(value.view().as_ascii(), "a text that needs a block") << "as it was, and alive";
}

TEST_F(PublicNames, LookupBlocksUntilNameExists) {
  const test::Watchdog watchdog("waiting for names");
  std::thread late([] {
    Sender tx;
    Receiver rx;
    ASSERT_EQ(channel({.name = "late"}, tx, rx), Status::ok);
    ASSERT_EQ(publish("later", Value::of(7)), Status::ok);
    Value value;
    ASSERT_EQ(rx.recv(value), Status::ok);
  });
  Sender tx;
  Value value;
  EXPECT_EQ(Sender::lookup("late", tx, forever), Status::ok);
  EXPECT_EQ(lookup("later", value, forever), Status::ok);
  EXPECT_EQ(value.view().as_integer(), 7);
  EXPECT_EQ(tx.send(std::move(value)), Status::ok);
  late.join();
  EXPECT_EQ(unpublish("later"), Status::ok);
}

}  // namespace
}  // namespace xichan
