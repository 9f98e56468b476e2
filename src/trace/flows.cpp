#include "trace/flows.h"

#include <algorithm>
#include <tuple>

namespace xichan::internal {
namespace {

// Returns the events of one kind by channel and number.
std::vector<std::uint32_t> by_number(const std::vector<TracedEvent>& events, TraceKind kind) {
  std::vector<std::uint32_t> found;
  for (std::uint32_t i = 0; i < events.size(); ++i) {
    if (events[i].event->kind == kind) found.push_back(i);
  }
  const auto key = [&](std::uint32_t i) {
    const TraceEvent& e = *events[i].event;
    return std::tuple(e.subject.words[0], e.subject.words[1], e.first);
  };
  std::sort(found.begin(), found.end(), [&](std::uint32_t a, std::uint32_t b) { return key(a) < key(b); });
  return found;
}

auto channel_of(const TraceEvent& e) noexcept { return std::tuple(e.subject.words[0], e.subject.words[1]); }

}  // namespace

std::vector<TracedEvent> sort_events(const TraceData& data) {
  std::vector<TracedEvent> events;
  events.reserve(data.events());
  // (71) acquire, as in TraceData::events.
  for (const TraceChunk* chunk = data.chunks.load(memory_order_acquire); chunk != nullptr; chunk = chunk->next) {
    const std::uint32_t used = chunk->used.load(memory_order_relaxed);
    for (std::uint32_t i = 0; i < used; ++i) events.push_back({chunk->events() + i, chunk});
  }
  // Of events that begin together the longer one comes first, so that it contains the other.
  std::stable_sort(events.begin(), events.end(), [&](const TracedEvent& a, const TracedEvent& b) {
    const auto end_of = [&](const TraceEvent& e) { return e.end == 0 ? data.end : e.end; };
    return std::tuple(a.event->begin, -end_of(*a.event)) < std::tuple(b.event->begin, -end_of(*b.event));
  });
  return events;
}

std::vector<TraceFlow> find_flows(const std::vector<TracedEvent>& events) {
  const std::vector<std::uint32_t> sends = by_number(events, TraceKind::send);
  const std::vector<std::uint32_t> receives = by_number(events, TraceKind::receive);
  std::vector<TraceFlow> flows;
  for (auto s = sends.begin(), r = receives.begin(); s != sends.end() && r != receives.end();) {
    const TraceEvent& send = *events[*s].event;
    const TraceEvent& receive = *events[*r].event;
    if (channel_of(send) != channel_of(receive)) {
      ++(channel_of(send) < channel_of(receive) ? s : r);
      continue;
    }
    const std::uint64_t send_end = send.first + send.count;
    const std::uint64_t receive_end = receive.first + receive.count;
    const bool has_common = send.first < receive_end && receive.first < send_end;
    // Else the trace began after the message was offered.
    if (has_common && send.begin <= receive.end) flows.push_back({*s, *r});
    ++(send_end < receive_end ? s : r);
  }
  return flows;
}

}  // namespace xichan::internal
