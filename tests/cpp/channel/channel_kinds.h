// The kinds of channel that the stress tests run over, and endpoints for threads.
#pragma once

#include <span>
#include <string>

#include "channel/channel_support.h"
#include "directory/create_channel.h"

namespace xichan::test {

using namespace internal;

struct ChannelKind {
  const char* name;
  Flavor flavor;
  std::uint64_t max_bytes = 0;
  bool has_capacity = true;

  bool is_rendezvous() const { return flavor == Flavor::rendezvous; }
  bool is_bounded() const { return has_capacity || is_rendezvous() || max_bytes != 0; }
  Channel* make(std::uint64_t capacity) const {
    Channel* channel = nullptr;
    if (!has_capacity) capacity = unbounded;
    EXPECT_EQ(create_channel({.flavor = flavor, .capacity = capacity, .max_bytes = max_bytes}, channel), Status::ok);
    return channel;
  }
};

/// For tests that tolerate `claimed`.
inline constexpr ChannelKind every_kind[] = {
    {"spsc", Flavor::spsc},
    {"spsc_of_few_bytes", Flavor::spsc, 160},
    {"mpmc", Flavor::mpmc},
    {"mpmc_of_few_bytes", Flavor::mpmc, 160},
    {"unbounded", Flavor::unbounded, 0, false},
    {"unbounded_of_few_bytes", Flavor::unbounded, 160, false},
    {"relaxed", Flavor::relaxed},
    {"relaxed_unbounded", Flavor::relaxed, 0, false},
    {"rendezvous", Flavor::rendezvous},
};

/// All except spsc, which has one endpoint per side.
inline constexpr std::span many_to_many = std::span(every_kind).subspan<2>();

struct KindName {
  std::string operator()(const ::testing::TestParamInfo<ChannelKind>& info) const { return info.param.name; }
};

/// Takes over one counted endpoint for a thread, and releases it.
class ThreadEndpoint {
 public:
  ThreadEndpoint(Channel* channel, Side side) : channel_(channel), side_(side) {}
  ThreadEndpoint(const ThreadEndpoint&) = delete;
  ThreadEndpoint& operator=(const ThreadEndpoint&) = delete;
  ~ThreadEndpoint() {
    channel_->unclaim(side_, lane);
    channel_->drop_endpoint(side_);
  }

  Lane lane;

 private:
  Channel* channel_;
  Side side_;
};

}  // namespace xichan::test
