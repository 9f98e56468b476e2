#include "trace/trace.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "support/watchdog.h"
#include "trace/flows.h"

namespace xichan::internal {
namespace {

TraceEvent event_of(TraceKind kind, std::uint64_t first, std::uint32_t count = 1) {
  return {.begin = Deadline::now(),
          .end = Deadline::now(),
          .subject = {.kind = TraceSubject::Kind::channel, .words = {7, 8}},
          .first = first,
          .count = count,
          .kind = kind};
}

TEST(Trace, OnlyOneRecordsAtATime) {
  std::uint32_t number;
  std::uint32_t other;
  ASSERT_EQ(Trace::start(10, number), Status::ok);
  EXPECT_EQ(Trace::start(10, other), Status::claimed);
  EXPECT_NE(Trace::stop(number), nullptr);
  EXPECT_EQ(Trace::stop(number), nullptr);
  ASSERT_EQ(Trace::start(10, other), Status::ok);
  EXPECT_NE(other, number);
  EXPECT_EQ(Trace::stop(number), nullptr);
  EXPECT_NE(Trace::stop(other), nullptr);
}

TEST(Trace, PlainGenerationDiffersWhileItRecords) {
  EXPECT_EQ(plain_generation(), process_generation());
  std::uint32_t number;
  ASSERT_EQ(Trace::start(10, number), Status::ok);
  EXPECT_NE(plain_generation(), process_generation());
  EXPECT_NE(plain_generation(), ~process_generation());  // that of closed endpoints
  Trace::stop(number);
  EXPECT_EQ(plain_generation(), process_generation());
}

TEST(Trace, DropsTheNewestEventsAndCountsThem) {
  std::uint32_t number;
  ASSERT_EQ(Trace::start(300, number), Status::ok);
  for (std::uint64_t i = 0; i < 1000; ++i) Trace::record(event_of(TraceKind::send, i));
  const auto data = Trace::stop(number);
  EXPECT_EQ(data->events(), 300u);
  EXPECT_EQ(data->dropped.load(), 700u);
  const auto events = sort_events(*data);
  for (std::uint64_t i = 0; i < events.size(); ++i) EXPECT_EQ(events[i].event->first, i);
}

TEST(Trace, FlowsJoinEventsWithMessagesInCommon) {
  std::uint32_t number;
  ASSERT_EQ(Trace::start(100, number), Status::ok);
  Trace::record(event_of(TraceKind::send, 0, 4));     // 0
  Trace::record(event_of(TraceKind::send, 4));        // 1
  Trace::record(event_of(TraceKind::receive, 0));     // 2
  Trace::record(event_of(TraceKind::receive, 1, 4));  // 3
  Trace::record(event_of(TraceKind::receive, 9));     // 4: of a message that was not recorded
  const auto data = Trace::stop(number);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> found;
  for (const TraceFlow& flow : find_flows(sort_events(*data))) found.emplace_back(flow.send, flow.receive);
  const std::vector<std::pair<std::uint32_t, std::uint32_t>> expected{{0, 2}, {0, 3}, {1, 3}};
  EXPECT_EQ(found, expected);
}

TEST(Trace, SpanThatWasCutGoesOn) {
  std::uint32_t number;
  ASSERT_EQ(Trace::start(100, number), Status::ok);
  for (int i = 0; i < 5; ++i) {
    TraceSpan span(TraceKind::wait, {}, TraceCall::recv);
    if (i != 2) span.cut();
  }
  const auto data = Trace::stop(number);
  EXPECT_EQ(data->events(), 2u);
}

TEST(Trace, SpanOutlivesTheTraceThatItBeganIn) {
  std::uint32_t first;
  std::uint32_t second;
  ASSERT_EQ(Trace::start(100, first), Status::ok);
  std::unique_ptr<TraceData> data;
  {
    TraceSpan span(TraceKind::wait, {}, TraceCall::recv);
    data = Trace::stop(first);
    ASSERT_EQ(Trace::start(100, second), Status::ok);
  }
  ASSERT_EQ(data->events(), 1u);
  EXPECT_EQ(sort_events(*data)[0].event->end, 0);
  const auto other = Trace::stop(second);
  ASSERT_EQ(other->events(), 1u);
  EXPECT_EQ(sort_events(*other)[0].event->begin, other->begin);
}

TEST(Trace, ThreadsRecordWhileTracesBeginAndEnd) {
  test::Watchdog watchdog("recording while traces begin and end");
  atomic<bool> done{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (std::uint64_t n = 0; !done.load(); ++n) {
        Trace::record(event_of(TraceKind::send, n));
        TraceSpan span(TraceKind::wait, Trace::text(n % 2 == 0 ? "even" : "odd"), TraceCall::recv);
      }
    });
  }
  for (int round = 0; round < 300; ++round) {
    std::uint32_t number;
    ASSERT_EQ(Trace::start(2000, number), Status::ok);
    std::uint64_t events = 0;
    std::uint64_t dropped = 0;
    while (events + dropped < 500) ASSERT_TRUE(Trace::count(number, events, dropped));
    const auto data = Trace::stop(number);
    const auto sorted = sort_events(*data);
    EXPECT_EQ(sorted.size(), data->events());
    EXPECT_LE(sorted.size(), 2000u);
    for (const TracedEvent& each : sorted) {
      EXPECT_LE(each.event->begin, data->end);
      EXPECT_TRUE(each.event->end == 0 || each.event->end >= each.event->begin);
    }
  }
  done.store(true);
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace xichan::internal
