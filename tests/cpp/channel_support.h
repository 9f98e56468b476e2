// What the tests of channels share: a fixture that finds leaks, messages that are counted, and a caller.
#pragma once

#include <memory>
#include <mutex>

#include "channel/channel.h"
#include "channel/end.h"
#include "channel/registry.h"
#include "channel/ticket.h"
#include "support.h"
#include "value/block_builder.h"

namespace xichan::test {

/// A test after which there are the channels, tickets and blocks that there were before.
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

/// Who makes a call: its flag, and the address by which its calls are cancelled.
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
  EXPECT_EQ(Channel::create(capacity, channel), Status::ok);
  return channel;
}

/// Gives back the two ends that a channel was made with.
inline void drop_both(Channel* channel) {
  channel->drop_end(Side::sender);
  channel->drop_end(Side::receiver);
}

inline constexpr Side both_sides[] = {Side::sender, Side::receiver};

/// A message that owns a block: one bytes of `size`.
inline Cell block_message(std::size_t size = 20) {
  const std::string data(size, 'm');
  BlockBuilder builder;
  builder.count_bytes(size);
  EXPECT_EQ(builder.allocate(), Status::ok);
  builder.write_bytes(builder.root(), data.data(), size);
  return builder.finish();
}

/// A message whose block owns `reference`.
inline Cell reference_message(const Reference& reference) {
  BlockBuilder builder;
  builder.count_reference();
  EXPECT_EQ(builder.allocate(), Status::ok);
  builder.write_reference(builder.root(), reference);
  return builder.finish();
}

/// A message that owns one end of a channel.
inline Cell end_message(Channel* channel, Side side) { return reference_message({&end_reference(side), channel}); }

}  // namespace xichan::test
