// How calls that block end: by time limits of every kind, by stop tokens, and by descriptors for event loops.
#include <poll.h>

#include <atomic>
#include <chrono>
#include <limits>
#include <stop_token>
#include <thread>
#include <vector>

#include "public/public_support.h"

namespace xichan {
namespace {

using namespace std::chrono_literals;
using std::chrono::duration;

constexpr Timeout of(TimeLimit limit) { return limit.timeout(); }

template <class Rep, class Period>
constexpr Timeout most(std::chrono::duration<Rep, Period>) {
  return of(std::chrono::duration<Rep, Period>::max());
}
using Picoseconds = duration<std::int64_t, std::pico>;

static_assert(of(3ns) == 3ns && of(2ms) == 2ms && of(std::chrono::hours(2)) == 2h);
static_assert(most(1s) == forever && most(1min) == forever && most(1h) == forever && most(1ns) == forever);
static_assert(of(std::chrono::years(400)) == forever && of(duration<std::uint64_t>(UINT64_MAX)) == forever);
static_assert(of(-5s) == 0ns && of(std::chrono::seconds::min()) == 0ns && of(-1.5s) == 0ns);
static_assert(of(Picoseconds(1)) == 1ns && of(Picoseconds(1'000)) == 1ns && of(Picoseconds(-1)) == 0ns, "never early");
static_assert(of(duration<int, std::ratio<1, 3>>(1)) == 333'333'334ns);
static_assert(of(0.5s) == 500ms && of(duration<float>(0.25f)) == 250ms && of(duration<double, std::nano>(0.1)) == 1ns);
static_assert(of(duration<double>(std::numeric_limits<double>::infinity())) == forever);
static_assert(of(duration<double>(-std::numeric_limits<double>::infinity())) == 0ns);
static_assert(of(duration<double>(std::numeric_limits<double>::quiet_NaN())) == 0ns);
static_assert(of(duration<double>(1e300)) == forever && of(duration<double>::max()) == forever);

class PublicWaiting : public test::PublicTest {
 protected:
  void SetUp() override { ASSERT_EQ(channel(1, sender, receiver), Status::ok); }
  void TearDown() override {
    sender.close();
    receiver.close();
    ArenaTest::TearDown();
  }

  // Runs `call` on another thread, and `meanwhile` once `waiting` calls wait.
  template <class Call, class Meanwhile>
  static Status waited(const EndpointBase& end, Call call, Meanwhile meanwhile) {
    const test::Watchdog watchdog("a call that waits");
    Status status = Status::invalid;
    std::thread caller([&] { status = call(); });
    test::await([&] { return end.stats().waiting_senders + end.stats().waiting_receivers != 0; });
    meanwhile();
    caller.join();
    return status;
  }

  Sender sender;
  Receiver receiver;
  Value value;
};

TEST_F(PublicWaiting, LargestTimeoutsBlockIndefinitely) {
  const TimeLimit limits[] = {forever,
                              std::chrono::seconds::max(),
                              std::chrono::hours::max(),
                              duration<double>(1e18),
                              std::chrono::steady_clock::time_point::max(),
                              std::chrono::sys_seconds::max(),
                              std::chrono::sys_days::max()};
  for (const TimeLimit limit : limits) {
    const auto send = [&] { EXPECT_EQ(sender.send(Value::of(1)), Status::ok); };
    EXPECT_EQ(waited(sender, [&] { return receiver.recv(value, limit); }, send), Status::ok);
  }
  ASSERT_EQ(sender.send(Value::of(1)), Status::ok);
  const auto receive = [&] { EXPECT_EQ(receiver.recv(value), Status::ok); };
  EXPECT_EQ(
      waited(sender, [&] { return sender.send(Value::of(2), std::chrono::seconds::max()); }, receive), Status::ok);
}

TEST_F(PublicWaiting, DeadlinesOfEveryClockEndTheWait) {
  const auto steady = std::chrono::steady_clock::now() + 20ms;
  EXPECT_EQ(receiver.recv(value, steady), Status::timeout);
  EXPECT_GE(std::chrono::steady_clock::now(), steady);
  EXPECT_EQ(receiver.recv(value, std::chrono::system_clock::now() + 1ms), Status::timeout);
  EXPECT_EQ(receiver.recv(value, std::chrono::steady_clock::now() - 1h), Status::timeout);
  EXPECT_EQ(receiver.recv(value, std::chrono::steady_clock::time_point::min()), Status::timeout);
  EXPECT_EQ(receiver.recv(value, std::chrono::sys_seconds(0s)), Status::timeout);
  EXPECT_EQ(Sender::lookup("absent", sender, std::chrono::steady_clock::now() + 1ms), Status::not_found);
  SelectCase cases[] = {receiver};
  std::size_t chosen;
  EXPECT_EQ(select(cases, chosen, std::chrono::steady_clock::now() + 1ms), Status::timeout);
}

TEST_F(PublicWaiting, StopCancelsEveryCallThatWaits) {
  std::size_t count = 0;
  Value two[2];
  const auto stopped = [&](auto call) {
    std::stop_source source;
    EXPECT_EQ(
        waited(sender, [&] { return call(source.get_token()); }, [&] { source.request_stop(); }), Status::cancelled);
  };
  stopped([&](std::stop_token stop) { return receiver.recv(value, stop); });
  stopped([&](std::stop_token stop) { return receiver.recv(value, stop, 1h); });
  stopped([&](std::stop_token stop) { return receiver.recv_many(two, count, stop); });
  SelectCase cases[] = {receiver};
  stopped([&](std::stop_token stop) { return select(cases, count, stop); });
  ASSERT_EQ(sender.send(Value::of(1)), Status::ok);
  Value kept = text(std::string(100, 'k'));
  stopped([&](std::stop_token stop) { return sender.send(std::move(kept), stop); });
  EXPECT_EQ(kept.view().size(), 100u) << "not sent, so left as it was";
  stopped([&](std::stop_token stop) { return sender.send_many(two, count, stop); });
  EXPECT_EQ(count, 0u);
  EXPECT_EQ(receiver.recv(value), Status::ok);
  EXPECT_EQ(receiver.recv_nowait(value), Status::empty) << "no stopped call sent anything";
}

TEST_F(PublicWaiting, StopAtAnyMomentOfSelectCancelsIt) {
  const test::Watchdog watchdog("stopped selects");
  const int rounds = test::rounds(20'000);
  std::vector<std::stop_source> sources(static_cast<std::size_t>(rounds));
  std::atomic<int> begun = -1;
  std::thread stopper([&] {
    for (int i = 0; i < rounds; ++i) {
      while (begun < i) {
      }
      sources[static_cast<std::size_t>(i)].request_stop();
    }
  });
  for (int i = 0; i < rounds; ++i) {
    SelectCase cases[] = {receiver};
    std::size_t chosen;
    begun = i;
    EXPECT_EQ(select(cases, chosen, sources[static_cast<std::size_t>(i)].get_token()), Status::cancelled);
  }
  stopper.join();
}

TEST_F(PublicWaiting, StopCancelsLookups) {
  const test::Watchdog watchdog("stopped lookups");
  for (const bool first : {true, false}) {
    std::stop_source source;
    if (first) source.request_stop();
    std::thread stopper([&] { source.request_stop(); });
    EXPECT_EQ(Sender::lookup("absent", sender, source.get_token()), Status::cancelled);
    EXPECT_EQ(Receiver::lookup("absent", receiver, source.get_token(), 1h), Status::cancelled);
    EXPECT_EQ(lookup("absent", value, source.get_token()), Status::cancelled);
    stopper.join();
  }
}

TEST_F(PublicWaiting, RequestedStopTakesPrecedenceOverReadyValue) {
  ASSERT_EQ(sender.send(Value::of(1)), Status::ok);
  std::stop_source source;
  EXPECT_EQ(receiver.recv(value, source.get_token(), 0s), Status::ok) << "no stop was requested";
  EXPECT_EQ(receiver.recv(value, source.get_token(), 0s), Status::timeout);
  ASSERT_EQ(sender.send(Value::of(2)), Status::ok);
  source.request_stop();
  EXPECT_EQ(receiver.recv(value, source.get_token()), Status::cancelled);
  EXPECT_EQ(receiver.recv(value, std::stop_token()), Status::ok) << "a token that cannot be stopped";
  EXPECT_EQ(value.view().as_integer(), 2);
}

TEST_F(PublicWaiting, StopRacingValuesLosesNone) {
  const test::Watchdog watchdog("stops that race with values");
  const int rounds = test::rounds(2'000);
  std::int64_t next = 0;
  std::stop_source sources[64];
  test::Meeting meeting(2);
  test::together(2, [&](unsigned thread) {
    for (int round = 0; round < rounds; ++round) {
      if (thread == 0) sources[round % 64] = std::stop_source();
      meeting.arrive();
      if (thread == 0) {
        if (round % 2 == 0) sources[round % 64].request_stop();
        EXPECT_EQ(sender.send(Value::of(round)), Status::ok);
        if (round % 2 != 0) sources[round % 64].request_stop();
      } else {
        Value mine;
        const Status status = receiver.recv(mine, sources[round % 64].get_token());
        if (status == Status::cancelled) {
          EXPECT_EQ(receiver.recv(mine), Status::ok);
        }
        EXPECT_EQ(mine.view().as_integer(), next++);
      }
      meeting.arrive();
    }
  });
}

bool is_readable(int descriptor, int timeout = 0) {
  pollfd polled{descriptor, POLLIN, 0};
  return poll(&polled, 1, timeout) == 1;
}

TEST_F(PublicWaiting, DescriptorIsReadableWhenEndpointMayBeReady) {
  const int readable = receiver.descriptor();
  ASSERT_GE(readable, 0);
  EXPECT_EQ(receiver.descriptor(), readable) << "created once";
  EXPECT_EQ(receiver.recv_nowait(value), Status::empty);
  EXPECT_FALSE(is_readable(readable));
  ASSERT_EQ(sender.send(Value::of(1)), Status::ok);
  EXPECT_TRUE(is_readable(readable));
  EXPECT_EQ(receiver.recv_nowait(value), Status::ok);
  EXPECT_EQ(receiver.recv_nowait(value), Status::empty);
  EXPECT_FALSE(is_readable(readable));
  const int writable = sender.descriptor();
  Value two[2];
  std::size_t sent;
  EXPECT_EQ(sender.send_many(two, sent, 0s), Status::timeout);
  EXPECT_FALSE(is_readable(writable));
  EXPECT_EQ(receiver.recv(value), Status::ok);
  EXPECT_TRUE(is_readable(writable));
  Receiver moved = std::move(receiver);
  EXPECT_EQ(moved.recv_nowait(value), Status::empty);
  std::thread closer([&] { sender.close(); });
  EXPECT_TRUE(is_readable(moved.descriptor(), 60'000)) << "it can receive `closed`";
  closer.join();
  EXPECT_EQ(moved.recv_nowait(value), Status::closed);
  moved.close();
  EXPECT_EQ(moved.descriptor(), -1);
}

TEST_F(PublicWaiting, CloneAndFromIdReportWhyTheyFail) {
  Sender other;
  EXPECT_EQ(sender.clone(other), Status::ok);
  EXPECT_EQ(other.id(), sender.id());
  EXPECT_EQ(Sender::from_id(sender.id(), other), Status::ok);
  EXPECT_EQ(Sender::from_id({1, 2}, other), Status::not_found);
  EXPECT_TRUE(other) << "left as it was";
  const Sender none;
  EXPECT_EQ(none.clone(other), Status::end_closed);
  Sender single;
  Receiver rx;
  ASSERT_EQ(channel({.flavor = Flavor::spsc}, single, rx), Status::ok);
  EXPECT_EQ(single.clone(other), Status::invalid);
  EXPECT_EQ(rx.clone(receiver), Status::invalid);
  EXPECT_EQ(other.id(), sender.id());
}

TEST_F(PublicWaiting, ShutdownFreesChannelsQueuedInOneAnother) {
  Sender senders[3];
  Receiver receivers[3];
  const std::uint64_t before = memory_stats().blocks;
  for (int i = 0; i < 3; ++i) ASSERT_EQ(channel(4, senders[i], receivers[i]), Status::ok);
  const Id id = receivers[1].id();
  for (int i = 0; i < 3; ++i) {
    Value both[2], message;
    ASSERT_EQ(senders[(i + 1) % 3].as_value(both[0]), Status::ok);
    ASSERT_EQ(receivers[(i + 1) % 3].as_value(both[1]), Status::ok);
    ASSERT_EQ(Value::tuple(both, message), Status::ok);
    ASSERT_EQ(senders[i].send(std::move(message)), Status::ok);
  }
  for (int i = 0; i < 3; ++i) {
    senders[i].close();
    receivers[i].close();
  }
  EXPECT_GT(memory_stats().blocks, before) << "each is held by another's queue";
  Receiver found;
  ASSERT_EQ(Receiver::from_id(id, found), Status::ok);
  found.shutdown(true);
  found.close();
  EXPECT_EQ(memory_stats().blocks, before);
  EXPECT_EQ(Receiver::from_id(id, found), Status::not_found);
}

}  // namespace
}  // namespace xichan
