// Helpers of the channel tests: a fixture that finds leaks, messages that own blocks, and callers.
#pragma once

#include <memory>
#include <mutex>

#include "channel/channel.h"
#include "channel/select.h"
#include "directory/create_channel.h"
#include "directory/process.h"
#include "directory/registry.h"
#include "directory/tickets.h"
#include "endpoint/endpoint.h"
#include "support/support.h"
#include "value/block_builder.h"

namespace xichan::internal {

/// The lane of every endpoint in these tests. Only some flavors keep state per lane and need one each.
inline Lane lane;

/// The bounds of a call, and its owner.
struct WaitRound {
  Deadline deadline;
  Deadline slice;
  const atomic<bool>& closed;
  const void* owner;
};

inline Status wait_for(Channel& channel, Side side, Cell& cell, const WaitRound& round, Lane& own = lane) {
  static const atomic<bool> never{false};
  Case only{.channel = &channel,
            .side = side,
            .lane = &own,
            .end_closed = &round.closed,
            .owner = round.owner,
            .cell = cell,
            .node = {}};
  std::size_t chosen;
  const Status status = wait_any({&only, 1}, {round.deadline, round.slice, &never, false}, chosen);
  cell = only.cell;
  return status;
}
inline Status wait_send(Channel& channel, Cell cell, const WaitRound& round, Lane& own = lane) {
  return wait_for(channel, Side::sender, cell, round, own);
}
inline Status wait_recv(Channel& channel, Cell& cell, const WaitRound& round, Lane& own = lane) {
  return wait_for(channel, Side::receiver, cell, round, own);
}
/// Returns the round of an unbounded call on an Endpoint.
inline WaitRound round_of(Endpoint& end) {
  const Case call = end.as_case();
  return {Deadline::never(), Deadline::never(), *call.end_closed, call.owner};
}

}  // namespace xichan::internal

namespace xichan::test {

using namespace internal;

/// Expects as many channels, tickets and blocks after the test as before it.
class ChannelTest : public ArenaTest {
 protected:
  void TearDown() override {
    EXPECT_EQ(Registry::size(), channels_);
    EXPECT_EQ(Tickets::unclaimed(), tickets_);
    ArenaTest::TearDown();
  }

  std::uint64_t new_channels() const { return Registry::size() - channels_; }

 private:
  const std::uint64_t channels_ = Registry::size();
  const std::uint64_t tickets_ = Tickets::unclaimed();
};

/// The owner of calls: a closed flag, and the address by which its calls are cancelled.
struct Caller {
  atomic<bool> closed{false};

  WaitRound round(Deadline deadline = Deadline::never(), Deadline slice = Deadline::never()) const {
    return {deadline, slice, closed, this};
  }
  void close(Channel& channel, Side side) {
    closed.store(true);
    channel.cancel_calls(side, this);
  }
};

inline Channel* new_channel(std::uint64_t capacity) {
  Channel* channel = nullptr;
  EXPECT_EQ(create_channel({.capacity = capacity}, channel), Status::ok);
  return channel;
}

/// Drops the two endpoints that a channel was created with.
inline void drop_both(Channel* channel) {
  channel->drop_endpoint(Side::sender);
  channel->drop_endpoint(Side::receiver);
}

inline constexpr Side both_sides[] = {Side::sender, Side::receiver};

/// Returns a message that owns a block with a bytes value of `size`.
inline Cell block_message(std::size_t size = 20) {
  const std::string data(size, 'm');
  BlockBuilder builder;
  builder.count_bytes(size);
  EXPECT_EQ(builder.allocate(), Status::ok);
  builder.write_bytes(builder.root(), data.data(), size);
  return builder.finish();
}

/// Returns a message whose block owns `reference`.
inline Cell reference_message(const Reference& reference) {
  BlockBuilder builder;
  builder.count_reference();
  EXPECT_EQ(builder.allocate(), Status::ok);
  builder.write_reference(builder.root(), reference);
  return builder.finish();
}

/// Returns a message that owns one endpoint of a channel.
inline Cell end_message(Channel* channel, Side side) { return reference_message({&endpoint_reference(side), channel}); }

/// Adds an endpoint to the channel and issues a ticket for it.
inline std::uint64_t issue_ticket(Channel& channel, Side side, const EndpointOwner* issuer) {
  channel.add_endpoint(side);
  return Tickets::issue(end_message(&channel, side), &channel, issuer);
}

/// Claims a ticket of `issue_ticket` and returns the channel of its endpoint; null if it was claimed before.
inline Channel* claim_end(std::uint64_t number, Side& side) {
  Cell cell;
  if (!Tickets::claim(number, cell)) return nullptr;
  const Reference& reference = cell.as_block()->references()[0];
  side = reference.type->kind == ReferenceKind::sender ? Side::sender : Side::receiver;
  auto* channel = static_cast<Channel*>(reference.object);
  channel->add_endpoint(side);
  release(cell);
  return channel;
}

}  // namespace xichan::test
