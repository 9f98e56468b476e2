// A channel numbers its messages, so the numbers of those that were sent and received last give the depth, although the
// trace may have begun when the channel was not empty, or may lack events.
#include "trace/depths.h"

#include <algorithm>
#include <map>

namespace xichan::internal {
namespace {

/// How often the depth of a channel is given at most.
constexpr std::int64_t most_depths = 4000;

struct Depth {
  std::uint64_t sent = UINT64_MAX;
  std::uint64_t received = UINT64_MAX;
  std::int64_t given = 0;  // when
  std::uint64_t last = UINT64_MAX;

  std::uint64_t messages() const noexcept { return sent - std::min(sent, received); }
};

using Depths = std::map<TraceSubject, Depth, TraceData::Less>;

// The numbers with which the events begin. If there are only sends, the channel counts as empty before; if there are
// only receives, the last message counts as sent.
Depths find_first(const std::vector<const TraceEvent*>& passed) {
  Depths depths;
  std::map<TraceSubject, std::uint64_t, TraceData::Less> ends;
  for (const TraceEvent* e : passed) {
    Depth& depth = depths[e->subject];
    std::uint64_t& first = e->kind == TraceKind::send ? depth.sent : depth.received;
    first = std::min(first, e->first);
    std::uint64_t& end = ends[e->subject];
    end = std::max(end, e->first + e->count);
  }
  for (auto& [subject, depth] : depths) {
    if (depth.sent == UINT64_MAX) depth.sent = ends[subject];
    if (depth.received == UINT64_MAX) depth.received = depth.sent;
  }
  return depths;
}

}  // namespace

std::vector<TracedDepth> find_depths(const TraceData& data, const std::vector<TracedEvent>& events) {
  std::vector<const TraceEvent*> passed;
  for (const TracedEvent& e : events) {
    if (e.event->subject.kind != TraceSubject::Kind::channel) continue;
    if (e.event->kind == TraceKind::send || e.event->kind == TraceKind::receive) passed.push_back(e.event);
  }
  std::stable_sort(passed.begin(), passed.end(),
                   [](const TraceEvent* a, const TraceEvent* b) { return a->end < b->end; });
  Depths depths = find_first(passed);
  const std::int64_t interval = (data.end - data.begin) / most_depths;
  std::vector<TracedDepth> found;
  for (const TraceEvent* e : passed) {
    Depth& depth = depths[e->subject];
    std::uint64_t& count = e->kind == TraceKind::send ? depth.sent : depth.received;
    count = std::max(count, e->first + e->count);
    if (depth.given != 0 && e->end - depth.given < interval) continue;
    depth.given = e->end;
    found.push_back({e->subject, e->end, depth.last = depth.messages()});
  }
  for (const auto& [subject, depth] : depths) {
    if (depth.last != depth.messages()) found.push_back({subject, data.end, depth.messages()});
  }
  return found;
}

}  // namespace xichan::internal
