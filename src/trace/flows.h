// The order of the events of a trace, and which send belongs to which receive.
#pragma once

#include <vector>

#include "trace/trace.h"

namespace xichan::internal {

struct TracedEvent {
  const TraceEvent* event;
  const TraceChunk* chunk;
};

/// A message, or several that were sent together and received together: indexes of the two events.
struct TraceFlow {
  std::uint32_t send;
  std::uint32_t receive;
};

/// Returns the events in the order in which they began. Throws std::bad_alloc.
XICHAN_API std::vector<TracedEvent> sort_events(const TraceData& data);

/// Returns a flow for each pair of a send and a receive that have messages in common. Throws std::bad_alloc.
XICHAN_API std::vector<TraceFlow> find_flows(const std::vector<TracedEvent>& events);

}  // namespace xichan::internal
