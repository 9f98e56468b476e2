// Names of channels and of published values, and waiting for a name.
#include "directory/names.h"
#include "directory/create_channel.h"

#include "channel/channel_support.h"

namespace xichan::internal {
namespace {

class NamesTest : public test::ChannelTest {
 protected:
  static Channel* named(std::string_view name) {
    Channel* channel = nullptr;
    EXPECT_EQ(create_channel({.capacity = 1, .name = name}, channel), Status::ok);
    return channel;
  }
  static NameKind find(std::string_view name) {
    const Names::Found found = Names::find(name);
    release(found.value);
    return found.kind;
  }
  Status wait(std::uint32_t seen, Deadline deadline = Deadline::never()) {
    return Names::wait(seen, {deadline, Deadline::never(), &exiting, false});
  }

  atomic<bool> exiting{false};
};

TEST_F(NamesTest, ChannelIsFoundWhileItLives) {
  Channel* channel = named("jobs");
  EXPECT_EQ(channel->name(), "jobs");
  EXPECT_EQ(Names::find("jobs").kind, NameKind::channel);
  EXPECT_EQ(Names::find("jobs").id, channel->id());
  Channel* second = nullptr;
  EXPECT_EQ(create_channel({.capacity = 1, .name = "jobs"}, second), Status::name_taken);
  Cell value;
  EXPECT_EQ(Names::publish("jobs", Cell::none(), false, value), Status::name_taken);
  EXPECT_EQ(Names::publish("jobs", Cell::none(), true, value), Status::name_taken) << "only a value is replaced";
  EXPECT_EQ(Names::unpublish("jobs", value), Status::not_found) << "a channel's name is not published";
  EXPECT_EQ(find("job"), NameKind::nothing);
  test::drop_both(channel);
  EXPECT_EQ(find("jobs"), NameKind::nothing);
  test::drop_both(named("jobs"));
}

TEST_F(NamesTest, ValueStaysPublishedUntilUnpublished) {
  Cell value;
  ASSERT_EQ(Names::publish("limits", test::block_message(), false, value), Status::ok);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(find("limits"), NameKind::value);
  EXPECT_EQ(new_blocks(), 1u);
  ASSERT_EQ(Names::publish("limits", test::block_message(), true, value), Status::ok);
  EXPECT_EQ(new_blocks(), 2u) << "the previous value is the caller's";
  release(value);
  EXPECT_EQ(Names::unpublish("limits", value), Status::ok);
  release(value);
  EXPECT_EQ(Names::unpublish("limits", value), Status::not_found);
}

TEST_F(NamesTest, NewNameEndsWait) {
  const test::Watchdog watchdog("waiting for a name");
  for (int round = 0; round < test::rounds(300); ++round) {
    test::together(3, [&](unsigned thread) {
      if (thread == 0) {
        Channel* channel = named("late");
        test::await([&] { return channel->endpoint_count(Side::sender) == 3; });
        for (int i = 0; i < 3; ++i) channel->drop_endpoint(Side::sender);
        channel->drop_endpoint(Side::receiver);
        return;
      }
      for (;;) {
        const std::uint32_t seen = Names::version();
        if (const Names::Found found = Names::find("late"); found.kind == NameKind::channel) {
          EXPECT_NE(Registry::open(found.id, Side::sender), nullptr);
          return;
        }
        ASSERT_EQ(wait(seen), Status::ok);
      }
    });
    ASSERT_EQ(find("late"), NameKind::nothing);
  }
}

TEST_F(NamesTest, WaitEndsAtDeadline) {
  const std::int64_t start = Deadline::now();
  EXPECT_EQ(wait(Names::version(), Deadline::after(5'000'000)), Status::timeout);
  EXPECT_GE(Deadline::now() - start, 5'000'000);
  EXPECT_EQ(wait(Names::version() - 1), Status::ok) << "something has changed already";
}

TEST_F(NamesTest, EndingOwnerInterruptsWait) {
  const test::Watchdog watchdog("a look-up that is nudged");
  std::thread waiting([&] { EXPECT_EQ(wait(Names::version()), Status::interrupted); });
  exiting.store(true);
  std::atomic<bool> joined{false};
  std::thread nudging([&] {  // until the waiter is nudged or has seen the flag
    while (!joined.load()) Names::nudge_owner(&exiting);
  });
  waiting.join();
  joined.store(true);
  nudging.join();
}

}  // namespace
}  // namespace xichan::internal
