// Ids: each finds its channel while that lives, and never another one.
#include <unordered_set>

#include "base/random.h"
#include "channel/channel_support.h"

namespace xichan::internal {
namespace {

using test::new_channel;

class Ids : public test::ChannelTest {
 protected:
  static bool resolves(const ChannelId& id) {
    Channel* channel = Registry::open(id, Side::sender);
    if (channel != nullptr) channel->drop_endpoint(Side::sender);
    return channel != nullptr;
  }
};

TEST_F(Ids, IdOpensAnotherEndpoint) {
  Channel* channel = new_channel(1);
  for (const Side side : test::both_sides) {
    EXPECT_EQ(Registry::open(channel->id(), side), channel);
    EXPECT_EQ(channel->endpoint_count(side), 2u);
    channel->drop_endpoint(side);
  }
  test::drop_both(channel);
}

TEST_F(Ids, IdOfFinishedSideFindsNothing) {
  Channel* channel = new_channel(1);
  channel->drop_endpoint(Side::sender);
  EXPECT_EQ(Registry::open(channel->id(), Side::sender), nullptr);
  EXPECT_EQ(Registry::open(channel->id(), Side::receiver), channel);
  channel->drop_endpoint(Side::receiver);
  channel->drop_endpoint(Side::receiver);
}

TEST_F(Ids, SimilarIdFindsNothing) {
  Channel* channel = new_channel(1);
  const ChannelId id = channel->id();
  EXPECT_TRUE(resolves(id));
  for (int bit = 0; bit < 64; ++bit) {
    const std::uint64_t flip = std::uint64_t{1} << bit;
    EXPECT_FALSE(resolves({id.place ^ flip, id.secret})) << bit;
    EXPECT_FALSE(resolves({id.place, id.secret ^ flip})) << bit;
  }
  for (std::uint64_t i = 1; i <= 2'500; ++i) {
    EXPECT_FALSE(resolves({id.place + i, id.secret}));
    EXPECT_FALSE(resolves({id.place - i, id.secret}));
    EXPECT_FALSE(resolves({id.place, id.secret + i}));
    EXPECT_FALSE(resolves({id.place, id.secret - i}));
  }
  for (const ChannelId& odd : {ChannelId{}, ChannelId{UINT64_MAX, UINT64_MAX}, ChannelId{0, id.secret},
                               ChannelId{id.place, 0}, ChannelId{id.secret, id.place}}) {
    EXPECT_FALSE(resolves(odd));
  }
  test::drop_both(channel);
  EXPECT_FALSE(resolves(id));
}

TEST_F(Ids, RandomIdFindsNothing) {
  Channel* channel = new_channel(1);
  std::uint64_t state = random_bits();
  const auto next = [&] { return state = state * 6364136223846793005u + 1442695040888963407u; };
  for (int i = 0; i < 1'000'000; ++i) {
    // Half of them name a slot and a generation that exist.
    const ChannelId id{i % 2 ? channel->id().place : next(), next()};
    ASSERT_FALSE(resolves(id));
  }
  test::drop_both(channel);
}

TEST_F(Ids, StaleIdFindsNothingAfterAMillionChannels) {
  const int count = test::sanitized ? 100'000 : 1'000'000;
  std::vector<ChannelId> sample;
  ChannelId first;
  for (int i = 0; i < count; ++i) {
    Channel* channel = new_channel(1);
    const ChannelId id = channel->id();
    if (i == 0) first = id;
    if (i % (count / 10'000) == 0) sample.push_back(id);
    test::drop_both(channel);
    ASSERT_FALSE(resolves(id)) << "at once";
  }
  Channel* again = new_channel(1);
  EXPECT_EQ(again->id().slot(), first.slot()) << "slots are used again";
  std::unordered_set<std::uint64_t> places;
  for (const ChannelId& id : sample) {
    ASSERT_FALSE(resolves(id)) << "stale";
    places.insert(id.place);
  }
  EXPECT_EQ(places.size(), sample.size()) << "each under a generation of its own";
  test::drop_both(again);
}

TEST_F(Ids, IdsOfLiveChannelsDiffer) {
  std::vector<Channel*> channels(20'000);
  std::unordered_set<std::uint64_t> places;
  std::unordered_set<std::uint64_t> secrets;
  for (Channel*& channel : channels) {
    channel = new_channel(1);
    places.insert(channel->id().place);
    secrets.insert(channel->id().secret);
  }
  EXPECT_EQ(places.size(), channels.size());
  EXPECT_EQ(secrets.size(), channels.size());
  EXPECT_EQ(new_channels(), channels.size());
  for (Channel* channel : channels) EXPECT_TRUE(resolves(channel->id()));
  for (Channel* channel : channels) test::drop_both(channel);
}

TEST_F(Ids, OpenRacingLastCloseLosesNoCount) {
  const test::Watchdog watchdog("open against the last end");
  const int rounds = test::rounds(20'000);
  test::Meeting meeting(2);
  std::atomic<Channel*> current{nullptr};
  std::atomic<int> opened{0};
  ChannelId id;
  test::together(2, [&](unsigned thread) {
    for (int round = 0; round < rounds; ++round) {
      if (thread == 0) {
        Channel* channel = new_channel(1);
        (void)channel->try_send(test::block_message(), lane);
        id = channel->id();
        current.store(channel);
      }
      meeting.arrive();
      if (thread == 0) {
        for (int i = round % 64; i > 0; --i) cpu_relax();
        test::drop_both(current.load());
      } else if (Channel* mine = Registry::open(id, round % 2 ? Side::sender : Side::receiver)) {
        ++opened;
        EXPECT_EQ(mine, current.load());
        (void)mine->try_send(Cell::none(), lane);
        mine->drop_endpoint(round % 2 ? Side::sender : Side::receiver);
      }
      meeting.arrive();
    }
  });
  EXPECT_EQ(new_channels(), 0u);
  EXPECT_GT(opened.load(), 0);
}

TEST_F(Ids, SlotIsNotReusedAfterItsLastGeneration) {
  Channel* channel = new_channel(1);
  const ChannelId id = channel->id();
  test::drop_both(channel);
  Registry::set_generation(id, ChannelId::last_generation - 1);
  Channel* last = new_channel(1);
  ASSERT_EQ(last->id().slot(), id.slot());
  EXPECT_EQ(last->id().place >> ChannelId::slot_bits, ChannelId::last_generation);
  EXPECT_TRUE(resolves(last->id()));
  const ChannelId stale = last->id();
  test::drop_both(last);
  Channel* next = new_channel(1);
  EXPECT_NE(next->id().slot(), id.slot()) << "it would get an id that was used before";
  EXPECT_TRUE(resolves(next->id()));
  EXPECT_FALSE(resolves(stale));
  test::drop_both(next);
}

TEST_F(Ids, WalkFindsExactlyTheLiveChannels) {
  std::vector<Channel*> channels(10'000);
  for (Channel*& channel : channels) channel = new_channel(1);
  for (std::size_t i = 0; i < channels.size(); ++i) {
    if (i % 1'000 != 7) test::drop_both(channels[i]);
  }
  std::size_t found = 0;
  std::uint64_t place = 0;
  while (Channel* channel = Registry::next(place)) {
    found += std::ranges::count(channels, channel) == 1;
    channel->unpin();
  }
  EXPECT_GE(found, 10u);
  for (std::size_t i = 7; i < channels.size(); i += 1'000) test::drop_both(channels[i]);
}

TEST_F(Ids, CountsOfEndpointsDoNotWrapAround) {
  Channel* channel = new_channel(1);
  for (const Side side : test::both_sides) {
    channel->add_endpoints(side, UINT32_MAX);  // 2^32 with the one that is there
    EXPECT_EQ(channel->endpoint_count(side), std::uint64_t{1} << 32);
    EXPECT_FALSE(channel->finished_for(other(side)));
    const ChannelStats stats = channel->stats();
    EXPECT_EQ(side == Side::sender ? stats.senders : stats.receivers, UINT32_MAX) << "saturated";
    channel->add_endpoint(side);
    channel->drop_endpoint(side);
    EXPECT_TRUE(resolves(channel->id()));
    channel->drop_endpoints(side, UINT32_MAX);
  }
  test::drop_both(channel);
}

}  // namespace
}  // namespace xichan::internal
