// How many messages were in each channel while a trace recorded.
#pragma once

#include <vector>

#include "trace/flows.h"

namespace xichan::internal {

struct TracedDepth {
  TraceSubject channel;
  std::int64_t time;
  std::uint64_t messages;
};

/// Returns the depths of all channels, at most some thousand for each: a depth is left out that comes soon after
/// another one. Throws std::bad_alloc.
std::vector<TracedDepth> find_depths(const TraceData& data, const std::vector<TracedEvent>& events);

}  // namespace xichan::internal
