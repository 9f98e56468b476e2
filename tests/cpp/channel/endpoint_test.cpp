// Endpoints with calls inside, and owners that end before their handles do.
#include "channel/channel_support.h"

namespace xichan::internal {
namespace {

using test::new_channel;

// Stands in for an interpreter: endpoints, and the lock that guards them (there the GIL).
struct World {
  std::mutex exclusion;
  EndpointOwner owner;
};

// Makes a call as the bindings do: it releases the lock and is pinned meanwhile.
template <class Round>
Status call(World& world, Endpoint& end, Round round) {
  std::unique_lock guard(world.exclusion);
  Channel* channel = end.channel();
  end.enter();
  guard.unlock();
  const Status status = round(*channel, round_of(end));
  channel->unpin();
  guard.lock();
  end.leave();
  return status;
}

Status recv(World& world, Endpoint& end) {
  Cell cell;
  const Status status = call(world, end, [&](Channel& c, const WaitRound& round) { return wait_recv(c, cell, round); });
  if (status == Status::ok) release(cell);
  return status;
}

class Ends : public test::ChannelTest {
 protected:
  Endpoint* open(Channel* channel, Side side) {
    Endpoint* end = Endpoint::open(channel, side, world.owner);
    EXPECT_NE(end, nullptr);
    return end;
  }

  World world;
};

TEST_F(Ends, OpenTakesOverCountAndCloseReleasesIt) {
  Channel* channel = new_channel(7);
  const ChannelId id = channel->id();
  Endpoint* sender = open(channel, Side::sender);
  Endpoint* receiver = open(channel, Side::receiver);
  EXPECT_EQ(channel->endpoint_count(Side::sender), 1u);
  EXPECT_EQ(sender->channel(), channel);
  EXPECT_EQ(sender->side(), Side::sender);
  EXPECT_FALSE(sender->is_closed());
  sender->close();
  sender->close();
  EXPECT_TRUE(sender->is_closed());
  EXPECT_EQ(channel->endpoint_count(Side::sender), 0u);
  EXPECT_EQ(channel->endpoint_count(Side::receiver), 1u);
  receiver->close();
  EXPECT_EQ(new_channels(), 0u);
  EXPECT_EQ(sender->id(), id) << "known also when the channel has gone";
  EXPECT_EQ(sender->capacity(), 7u);
  Endpoint::destroy(sender);
  Endpoint::destroy(receiver);
}

TEST_F(Ends, DestroyClosesOpenEndpoint) {
  Channel* channel = new_channel(1);
  Endpoint* sender = open(channel, Side::sender);
  Endpoint* receiver = open(channel, Side::receiver);
  Endpoint::destroy(sender);
  EXPECT_EQ(channel->endpoint_count(Side::sender), 0u);
  Endpoint::destroy(receiver);
  EXPECT_EQ(new_channels(), 0u);
}

TEST_F(Ends, CloseEndsOnlyCallsOfItsOwnEndpoint) {
  const test::Watchdog watchdog("close with calls inside");
  Channel* channel = new_channel(1);
  Endpoint* sender = open(channel, Side::sender);
  channel->add_endpoint(Side::receiver);
  Endpoint* closed = open(channel, Side::receiver);
  Endpoint* other = open(channel, Side::receiver);
  std::thread calls[] = {std::thread([&] { EXPECT_EQ(recv(world, *closed), Status::end_closed); }),
                         std::thread([&] { EXPECT_EQ(recv(world, *closed), Status::end_closed); }),
                         std::thread([&] { EXPECT_EQ(recv(world, *other), Status::ok); })};
  test::await([&] { return channel->waiting(Side::receiver) == 3; });
  {
    const std::lock_guard guard(world.exclusion);
    closed->close();
    EXPECT_EQ(channel->endpoint_count(Side::receiver), 2u) << "E2: the count stays with the calls inside";
  }
  calls[0].join();
  calls[1].join();
  EXPECT_EQ(channel->endpoint_count(Side::receiver), 1u) << "until the last of them leaves";
  EXPECT_EQ(channel->try_send(Cell::none(), lane), Status::ok);
  calls[2].join();
  for (Endpoint* end : {sender, closed, other}) Endpoint::destroy(end);
}

TEST_F(Ends, MessageRacingCloseIsReceivedOrStaysQueued) {
  const test::Watchdog watchdog("an item against a close");
  for (int round = 0; round < test::rounds(2'000); ++round) {
    Channel* channel = new_channel(1);
    Endpoint* sender = open(channel, Side::sender);
    channel->add_endpoint(Side::receiver);
    Endpoint* receiver = open(channel, Side::receiver);
    Status received;
    test::together(3, [&](unsigned thread) {
      if (thread == 0) received = recv(world, *receiver);
      if (thread == 1) {
        EXPECT_EQ(channel->try_send(test::block_message(), lane), Status::ok);
      }
      if (thread == 2) {
        const std::lock_guard guard(world.exclusion);
        receiver->close();
      }
    });
    ASSERT_EQ(channel->size(), received == Status::ok ? 0u : 1u);
    if (received != Status::ok) {
      ASSERT_EQ(received, Status::end_closed);
    }
    channel->drop_endpoint(Side::receiver);
    Endpoint::destroy(sender);
    Endpoint::destroy(receiver);
    ASSERT_EQ(new_blocks(), 0u);
  }
}

TEST_F(Ends, OwnerReleasesAllItsEndpoints) {
  std::vector<Endpoint*> ends;
  for (int i = 0; i < 5; ++i) {
    Channel* channel = new_channel(2);
    ASSERT_EQ(channel->try_send(test::block_message(), lane), Status::ok);
    ends.push_back(open(channel, Side::sender));
    ends.push_back(open(channel, Side::receiver));
  }
  ends[4]->close();
  Endpoint::destroy(ends[9]);
  ends.pop_back();
  world.owner.release_all();
  world.owner.release_all();
  EXPECT_TRUE(world.owner.has_ended());
  EXPECT_EQ(new_channels(), 0u);
  EXPECT_EQ(new_blocks(), 0u);
  for (Endpoint* end : ends) {
    EXPECT_TRUE(end->is_closed());
    end->close();
    Endpoint::destroy(end);  // handles may be destroyed later
  }
}

TEST_F(Ends, EndedOwnerOpensNoEndpoint) {
  Channel* channel = new_channel(1);
  world.owner.release_all();
  EXPECT_EQ(Endpoint::open(channel, Side::sender, world.owner), nullptr);
  EXPECT_EQ(channel->endpoint_count(Side::sender), 0u) << "the count has been released";
  channel->drop_endpoint(Side::receiver);
}

TEST_F(Ends, OwnerDestructorReleasesEndpoints) {
  Channel* channel = new_channel(1);
  Endpoint* end;
  {
    EndpointOwner owner;
    end = Endpoint::open(channel, Side::sender, owner);
  }
  EXPECT_EQ(channel->endpoint_count(Side::sender), 0u);
  channel->drop_endpoint(Side::receiver);
  Endpoint::destroy(end);
}

// Endpoints whose calls never return are leaked on purpose; this keeps them reachable for the leak check.
std::vector<Endpoint*>& abandoned() {
  static auto* const ends = new std::vector<Endpoint*>;  // never destroyed: the leak check runs after destructors
  return *ends;
}

TEST_F(Ends, OwnerEndsWhileCallsInsideNeverReturn) {
  const test::Watchdog watchdog("an owner that ends");
  Channel* full = new_channel(1);
  Channel* empty = new_channel(1);
  ASSERT_EQ(full->try_send(Cell::none(), lane), Status::ok);
  Endpoint* sender = open(full, Side::sender);
  Endpoint* receiver = open(empty, Side::receiver);
  // These threads stop before they would take the lock again, so they never leave the endpoint.
  const auto never_back = [this](Endpoint* end, Side side) {
    std::unique_lock guard(world.exclusion);
    Channel* channel = end->channel();
    end->enter();
    guard.unlock();
    const WaitRound round = round_of(*end);
    Cell cell = Cell::none();
    EXPECT_EQ(side == Side::sender ? wait_send(*channel, cell, round) : wait_recv(*channel, cell, round),
              Status::end_closed);
    channel->unpin();
  };
  std::thread sending(never_back, sender, Side::sender);
  std::thread receiving(never_back, receiver, Side::receiver);
  test::await([&] { return full->waiting(Side::sender) == 1 && empty->waiting(Side::receiver) == 1; });
  {
    const std::lock_guard guard(world.exclusion);
    world.owner.release_all();
    EXPECT_EQ(full->endpoint_count(Side::sender), 0u) << "also the counts of calls inside";
    EXPECT_EQ(empty->endpoint_count(Side::receiver), 0u);
  }
  sending.join();
  receiving.join();
  full->drop_endpoint(Side::receiver);
  empty->drop_endpoint(Side::sender);
  EXPECT_EQ(new_channels(), 0u);
  for (Endpoint* end : {sender, receiver}) {
    abandoned().push_back(end);
    Endpoint::destroy(end);
  }
}

TEST_F(Ends, OwnerEndsWhileCallsInsideReturn) {
  const test::Watchdog watchdog("an owner that ends");
  Channel* channel = new_channel(1);
  Endpoint* receiver = open(channel, Side::receiver);
  std::thread receiving([&] { EXPECT_EQ(recv(world, *receiver), Status::end_closed); });
  test::await([&] { return channel->waiting(Side::receiver) == 1; });
  {
    const std::lock_guard guard(world.exclusion);
    world.owner.release_all();
  }
  receiving.join();
  EXPECT_EQ(channel->endpoint_count(Side::receiver), 0u) << "released once, not twice";
  channel->drop_endpoint(Side::sender);
  Endpoint::destroy(receiver);
}

}  // namespace
}  // namespace xichan::internal
