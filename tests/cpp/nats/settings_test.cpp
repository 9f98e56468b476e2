#include "nats/settings.h"

#include <gtest/gtest.h>

#include "nats/failure.h"

namespace xichan::nats::internal {
namespace {

// What the server returns about a stream.
Json info_of(const std::string& description, bool sealed = false) {
  Json info;
  EXPECT_TRUE(
      Json::parse("{\"config\":{\"description\":" + quote(description) + (sealed ? ",\"sealed\":true}}" : "}}"), info));
  return info;
}

TEST(Settings, DescriptionIsTheTextOfPython) {
  EXPECT_EQ(
      Settings().description(),
      R"({"xichan": 1, "capacity": 1000, "max_bytes": null, "storage": "memory", "ack": "receive", )"
      R"("ack_wait": 30.0, "max_deliver": null, "duplicate_window": 120.0, "sender_timeout": 10.0, "keep": false})");
  Settings settings;
  settings.options = {.capacity = unbounded,
                      .max_bytes = 5,
                      .storage = Storage::durable,
                      .ack = Acknowledge::lease,
                      .ack_wait = Seconds(0.1),
                      .max_deliver = 3,
                      .duplicate_window = Seconds(1e9),
                      .sender_timeout = std::chrono::milliseconds(1250),
                      .keep = true};
  EXPECT_EQ(settings.description("senders"),
            R"({"xichan": 1, "ended_by": "senders", "capacity": null, "max_bytes": 5, "storage": "durable", )"
            R"("ack": "lease", "ack_wait": 0.1, "max_deliver": 3, "duplicate_window": 1000000000.0, )"
            R"("sender_timeout": 1.25, "keep": true})");
}

TEST(Settings, AreReadBack) {
  Settings settings, found;
  settings.options = {.capacity = 7, .storage = Storage::file, .ack_wait = Seconds(2.5), .keep = true};
  const Names names("a", false);
  ASSERT_EQ(find_settings(info_of(settings.description("shutdown")), names, found), Status::ok);
  EXPECT_EQ(found.differences(settings), "");
  EXPECT_EQ(found.differences(Settings()),
            "capacity=7, not 1000; storage=\"file\", not \"memory\"; ack_wait=2.5, not "
            "30.0; keep=true, not false");
}

TEST(Settings, OfOtherProgramsAreRefused) {
  Settings settings;
  const Names names("a", false);
  const std::string good = Settings().description();
  std::string other = good;
  other.replace(other.find("1,"), 1, "2");
  std::string more = good;
  more.insert(1, "\"new\": 1, ");
  for (const std::string& description : {std::string(), std::string("text"), std::string("{}"), other, more}) {
    EXPECT_EQ(find_settings(info_of(description), names, settings), Status::unavailable) << description;
  }
  EXPECT_EQ(kept_error().message, "the stream XICHAN_a was not made by this version of xichan");
}

TEST(Settings, OutOfRangeAreInvalid) {
  for (const ChannelOptions& options :
       {ChannelOptions{.capacity = 0}, ChannelOptions{.ack_wait = Seconds(0.01)},
        ChannelOptions{.sender_timeout = Seconds(2e9)}, ChannelOptions{.max_bytes = UINT64_MAX}}) {
    EXPECT_EQ(Settings{options}.check(), Status::invalid);
  }
  EXPECT_EQ(Settings{{.capacity = unbounded}}.check(), Status::ok);
}

TEST(Settings, ShutDownDiffersFromLeftBySenders) {
  const Settings settings;
  EXPECT_FALSE(is_shut_down(info_of(settings.description())));
  EXPECT_TRUE(is_shut_down(info_of(settings.description("shutdown"), true)));
  EXPECT_FALSE(is_shut_down(info_of(settings.description("senders"), true)));
}

TEST(Names, AreThoseOfPython) {
  const Names names("orders", false), dead("orders", true);
  EXPECT_EQ(names.stream, "XICHAN_orders");
  EXPECT_EQ(names.values, "xichan.orders.values");
  EXPECT_EQ(names.room, "xichan.orders.values.room");
  EXPECT_EQ(dead.stream, "XICHANDEAD_orders");
  EXPECT_EQ(dead.values, "xichan.orders.dead");
  EXPECT_EQ(names.requests(), "$JS.API.CONSUMER.MSG.NEXT.XICHAN_orders.receivers");
}

TEST(Names, AreChecked) {
  EXPECT_EQ(check_name("a-Z_09"), Status::ok);
  EXPECT_EQ(check_name(std::string(200, 'a')), Status::ok);
  for (const std::string& name : {std::string(), std::string(201, 'a'), std::string("a.b"), std::string("a b"),
                                  std::string("\xc3\xa9"), std::string("*")}) {
    EXPECT_EQ(check_name(name), Status::invalid) << name;
  }
}

}  // namespace
}  // namespace xichan::nats::internal
