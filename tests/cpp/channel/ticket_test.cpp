// Endpoints in flight: a ticket's count goes to the first claim or is released, never both.
#include "channel/channel_support.h"

namespace xichan::internal {
namespace {

using test::new_channel;

class TicketTest : public test::ChannelTest {
 protected:
  void SetUp() override { channel = new_channel(1); }
  void TearDown() override {
    if (channel != nullptr) test::drop_both(channel);
    ChannelTest::TearDown();
  }

  Channel* channel;
  EndpointOwner owner;
};

TEST_F(TicketTest, FirstClaimTakesCount) {
  for (const Side side : test::both_sides) {
    const std::uint64_t before = Tickets::unclaimed();
    const std::uint64_t ticket = test::issue_ticket(*channel, side, &owner);
    EXPECT_NE(ticket, 0u);
    EXPECT_EQ(Tickets::unclaimed(), before + 1);
    EXPECT_EQ(channel->endpoint_count(side), 2u);
    Side claimed;
    EXPECT_EQ(test::claim_end(ticket, claimed), channel);
    EXPECT_EQ(claimed, side);
    EXPECT_EQ(test::claim_end(ticket, claimed), nullptr);
    Tickets::cancel(ticket);
    EXPECT_EQ(channel->endpoint_count(side), 2u) << "cancelled after the claim: without effect";
    channel->drop_endpoint(side);
  }
}

TEST_F(TicketTest, CancelReleasesCountOnce) {
  const std::uint64_t ticket = test::issue_ticket(*channel, Side::receiver, &owner);
  Tickets::cancel(ticket);
  Tickets::cancel(ticket);
  EXPECT_EQ(channel->endpoint_count(Side::receiver), 1u);
  Side side;
  EXPECT_EQ(test::claim_end(ticket, side), nullptr);
}

TEST_F(TicketTest, NumbersAreNeverReused) {
  std::uint64_t last = 0;
  for (int i = 0; i < 1'000; ++i) {
    const std::uint64_t ticket = test::issue_ticket(*channel, Side::sender, &owner);
    EXPECT_GT(ticket, last);
    last = ticket;
    Tickets::cancel(ticket);
  }
  Side side;
  for (const std::uint64_t number : {std::uint64_t{0}, last + 1, UINT64_MAX}) {
    EXPECT_EQ(test::claim_end(number, side), nullptr);
    Tickets::cancel(number);
  }
}

TEST_F(TicketTest, EndOfIssuerReleasesUnclaimedTickets) {
  EndpointOwner other;
  std::vector<std::uint64_t> tickets;
  for (int i = 0; i < 1'000; ++i) {  // more than one internal batch
    tickets.push_back(test::issue_ticket(*channel, i % 2 ? Side::sender : Side::receiver, &owner));
  }
  const std::uint64_t foreign = test::issue_ticket(*channel, Side::sender, &other);
  Side side;
  ASSERT_EQ(test::claim_end(tickets[1], side), channel);
  owner.release_all();
  EXPECT_EQ(channel->endpoint_count(Side::sender), 3u) << "ours, the claimed one, and the other owner's";
  EXPECT_EQ(channel->endpoint_count(Side::receiver), 1u);
  EXPECT_EQ(test::claim_end(tickets[0], side), nullptr);
  EXPECT_EQ(test::claim_end(foreign, side), channel);
  channel->drop_endpoint(Side::sender);
  channel->drop_endpoint(Side::sender);
}

TEST_F(TicketTest, TicketKeepsItsChannelAlive) {
  const std::uint64_t ticket = test::issue_ticket(*channel, Side::receiver, &owner);
  ASSERT_EQ(channel->try_send(test::block_message(), lane), Status::ok);
  test::drop_both(channel);
  Side side;
  Channel* arrived = test::claim_end(ticket, side);
  ASSERT_EQ(arrived, channel);
  Cell cell;
  EXPECT_EQ(arrived->try_recv(cell, lane), Status::ok);
  release(cell);
  EXPECT_EQ(arrived->try_recv(cell, lane), Status::closed);
  arrived->drop_endpoint(side);
  channel = nullptr;
}

TEST_F(TicketTest, CancellingLastTicketDestroysChannel) {
  const std::uint64_t ticket = test::issue_ticket(*channel, Side::receiver, &owner);
  ASSERT_EQ(channel->try_send(test::block_message(), lane), Status::ok);
  test::drop_both(channel);
  EXPECT_EQ(new_channels(), 1u);
  Tickets::cancel(ticket);
  EXPECT_EQ(new_channels(), 0u);
  channel = nullptr;
}

TEST_F(TicketTest, EndOfIssuerReleasesNestedEndpointsWithoutRecursion) {
  constexpr int count = 10'000;
  std::vector<Channel*> channels;
  for (int i = 0; i < count; ++i) {
    Channel* inner = new_channel(1);
    if (!channels.empty()) {
      ASSERT_EQ(inner->try_send(test::end_message(channels.back(), Side::receiver), lane), Status::ok);
    }
    inner->drop_endpoint(Side::sender);
    channels.push_back(inner);
  }
  ASSERT_NE(test::issue_ticket(*channels.back(), Side::receiver, &owner), 0u);
  channels.back()->drop_endpoint(Side::receiver);
  test::on_small_stack([&] { owner.release_all(); });
  EXPECT_EQ(new_channels(), 1u);
}

TEST_F(TicketTest, ClaimCancelAndOwnerReleaseCountOnce) {
  const test::Watchdog watchdog("claims");
  const int rounds = test::rounds(20'000);
  test::Meeting meeting(3);
  std::uint64_t ticket = 0;
  std::atomic<int> claims{0};
  test::together(3, [&](unsigned thread) {
    for (int round = 0; round < rounds; ++round) {
      if (thread == 0) ticket = test::issue_ticket(*channel, Side::sender, &owner);
      meeting.arrive();
      Side side;
      if (thread < 2) {
        if (test::claim_end(ticket, side) != nullptr) {
          ++claims;
          channel->drop_endpoint(side);
        }
      } else if (round % 2) {
        Tickets::cancel(ticket);
      } else {
        Tickets::cancel_owner(&owner);
      }
      meeting.arrive();
      if (thread == 0) {
        EXPECT_EQ(channel->endpoint_count(Side::sender), 1u);
      }
    }
  });
  EXPECT_GT(claims.load(), 0);
}

TEST(ProcessNonce, IsConstantAndNotZero) {
  EXPECT_EQ(Process::nonce(), Process::nonce());
  EXPECT_NE(Process::nonce(), 0u);
}

TEST_F(TicketTest, CountsTicketsOfEachChannel) {
  Channel* second = new_channel(1);
  EndpointOwner other;
  for (int i = 0; i < 300; ++i) {
    test::issue_ticket(*channel, Side::sender, i % 3 ? &owner : &other);
    test::issue_ticket(*second, Side::sender, &other);
  }
  EXPECT_EQ(Tickets::unclaimed(channel), 300u);
  Tickets::cancel_owner(&owner);
  EXPECT_EQ(Tickets::unclaimed(channel), 100u) << "those of the other owner";
  EXPECT_EQ(Tickets::unclaimed(second), 300u);
  Tickets::cancel_owner(&owner);
  Tickets::cancel_owner(&other);
  EXPECT_EQ(Tickets::unclaimed(channel) + Tickets::unclaimed(second), 0u);
  EXPECT_EQ(channel->endpoint_count(Side::sender), 1u);
  test::drop_both(second);
}

}  // namespace
}  // namespace xichan::internal
