// Stands in for src/api/access.h in the model of coroutines: the parts of public endpoints and values that a call uses.
#pragma once

#include "channel/select.h"
#include "xichan/channel.h"

namespace xichan::internal {

struct EndpointAccess {
  static Channel* channel(const EndpointBase& endpoint) noexcept { return endpoint.channel_; }
  static Lane& lane(const EndpointBase& endpoint) noexcept { return *endpoint.lane_; }
  static void open(EndpointBase& endpoint, Channel& channel, Lane& lane) noexcept {
    endpoint.channel_ = &channel;
    endpoint.lane_ = &lane;
  }
};

struct ValueAccess {
  static Cell& cell(Value& value) noexcept { return *reinterpret_cast<Cell*>(value.cell_); }
};

}  // namespace xichan::internal
