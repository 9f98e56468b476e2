// A simulation that streams events to two Python interpreters and gets their decisions back.
//
//   simulation [EVENTS]            default: 10,000,000
//   simulation --no-python [EVENTS]
//
// The loop sends events, tuples (number, price), alternately to two strategies, and receives their decisions: the
// numbers of the events at which to buy. The strategies are written in Python, each in an interpreter with its own GIL;
// the loop takes no GIL. For comparison, the same strategy runs in C++ threads over the same channels, and the bare
// ring of such a channel carries integers between two threads. Every decision is checked.
#include <xichan/xichan.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <thread>

#include "embed.h"
#if __has_include("ring/mpmc.h")
#include "ring/mpmc.h"
#include "value/cell.h"
#endif

namespace {

using xichan::Receiver;
using xichan::Sender;
using xichan::Status;
using xichan::Value;
using xichan::ValueView;

constexpr int strategies = 2;

constexpr const char* python_strategy = R"(
import xichan

average = 100.0
try:
    while batch := events.recv_many(512):
        buy = []
        for number, price in batch:
            average += (price - average) / 64
            if price < average - 2:
                buy.append(number)
        decisions.send_many(buy)
except xichan.ChannelClosed:
    decisions.close()
)";

/// The same strategy in C++, also used to check the decisions.
struct Strategy {
  double average = 100;

  bool decide(double price) {
    average += (price - average) / 64;
    return price < average - 2;
  }
};

/// A reproducible random walk: xorshift64 (Marsaglia 2003), pulled back toward 100.
struct Market {
  std::uint64_t state = 88172645463325252;
  double price = 100;

  double next() {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    price += static_cast<double>(state >> 40) / (1 << 24) - 0.5 + (100 - price) / 256;
    return price;
  }
};

void fail(const char* what, Status status) {
  const auto text = to_string(status);
  std::fprintf(stderr, "simulation: %s: %.*s\n", what, static_cast<int>(text.size()), text.data());
  std::exit(1);
}

void check(const char* what, Status status) {
  if (status != Status::ok) fail(what, status);
}

/// The number and the sum of one strategy's decisions.
struct Tally {
  std::int64_t count = 0;
  std::int64_t sum = 0;

  void add(std::int64_t number) {
    ++count;
    sum += number;
  }
  bool operator==(const Tally&) const = default;
};

void run_python(Receiver events, Sender decisions) {
  OwnInterpreter interpreter;
  if (!interpreter) fail("no interpreter", Status::no_memory);
  Value value;
  // The interpreter gets its own endpoints. Close ours, so that only its own keep the channels open.
  check("events", events.as_value(value));
  events.close();
  if (!set_global("events", value)) std::exit(1);
  check("decisions", decisions.as_value(value));
  decisions.close();
  if (!set_global("decisions", value)) std::exit(1);
  value = Value();
  if (PyRun_SimpleString(python_strategy) < 0) std::exit(1);
}

void run_cpp(Receiver events, Sender decisions) {
  std::array<Value, 512> batch;
  std::size_t count;
  Strategy strategy;
  while (events.recv_many(batch, count) == Status::ok) {
    for (std::size_t i = 0; i < count; ++i) {
      const ValueView event = batch[i].view();
      if (!strategy.decide(event[1].as_real())) continue;
      check("decision", decisions.send(Value::of(event[0].as_integer())));
    }
  }
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void report(const char* what, std::int64_t count, double seconds) {
  std::printf("%-44s %10lld in %7.3f s  %8.3f M/s\n", what, static_cast<long long>(count), seconds,
              static_cast<double>(count) / seconds / 1e6);
}

/// Runs the simulation with `work` as the function of each strategy's thread. Returns false if a decision is wrong.
bool simulate(const char* what, std::int64_t events, void (*work)(Receiver, Sender)) {
  Sender to[strategies];
  Receiver from[strategies];
  std::thread threads[strategies];
  for (int i = 0; i < strategies; ++i) {
    Receiver events_rx;
    Sender decisions_tx;
    check("channel", xichan::channel({.capacity = 4096}, to[i], events_rx));
    // Unbounded: otherwise the loop could block in a send while a strategy blocks in a send to the loop.
    check("channel", xichan::channel({.capacity = xichan::unbounded}, decisions_tx, from[i]));
    threads[i] = std::thread(work, std::move(events_rx), std::move(decisions_tx));
  }
  Tally expected[strategies], decided[strategies];
  Strategy reference[strategies];
  Market market;
  Value value;
  // A strategy is ready when it has received its first event.
  const auto tick = [&](std::int64_t number) {
    const auto i = static_cast<int>(number % strategies);
    const double price = market.next();
    if (reference[i].decide(price)) expected[i].add(number);
    check("event", Value::pack(value, number, price));
    check("event", to[i].send(std::move(value)));
  };
  for (int i = 0; i < strategies; ++i) tick(i);
  for (const Sender& sender : to) {
    while (sender.size() != 0) std::this_thread::yield();
  }
  const auto start = std::chrono::steady_clock::now();
  for (std::int64_t number = strategies; number < events; ++number) {
    tick(number);
    if (number % 1024 != 0) continue;
    for (int i = 0; i < strategies; ++i) {
      from[i].drain([&](Value&& number_of_event) { decided[i].add(number_of_event.view().as_integer()); });
    }
  }
  const double sent = seconds_since(start);
  for (Sender& sender : to) sender.close();
  for (int i = 0; i < strategies; ++i) {
    while (from[i].recv(value) == Status::ok) decided[i].add(value.view().as_integer());
  }
  const double all = seconds_since(start);
  bool right = true;
  std::int64_t decisions = 0;
  for (int i = 0; i < strategies; ++i) {
    threads[i].join();
    right = right && decided[i] == expected[i];
    decisions += decided[i].count;
  }
  std::printf("%s\n", what);
  report("  events sent", events - strategies, sent);
  report("  all decided", events - strategies, all);
  report("  decisions back", decisions, all);
  if (!right) std::puts("  the decisions are WRONG");
  return right;
}

#if __has_include("ring/mpmc.h")
/// Measures the bare ring of an mpmc channel between two spinning threads.
bool run_bare_ring(std::int64_t events) {
  xichan::internal::MpmcRing<xichan::internal::Cell> ring(4096);
  const auto start = std::chrono::steady_clock::now();
  std::int64_t sum = 0;
  std::thread consumer([&] {
    xichan::internal::Cell cell;
    for (std::int64_t i = 0; i < events; ++i) {
      while (ring.try_pop(cell) != Status::ok) std::this_thread::yield();
      sum += cell.as_integer();
    }
  });
  for (std::int64_t i = 0; i < events; ++i) {
    while (ring.try_push(xichan::internal::Cell::integer(i)) != Status::ok) std::this_thread::yield();
  }
  consumer.join();
  report("the bare ring, between two C++ threads", events, seconds_since(start));
  return sum == events * (events - 1) / 2;
}
#endif

/// Measures integers over a channel between two C++ threads.
bool run_channel(std::int64_t events) {
  Sender sender;
  Receiver receiver;
  check("channel", xichan::channel(4096, sender, receiver));
  const auto start = std::chrono::steady_clock::now();
  std::int64_t sum = 0;
  std::thread consumer([&] {
    Value value;
    while (receiver.recv(value) == Status::ok) sum += value.view().as_integer();
  });
  for (std::int64_t i = 0; i < events; ++i) check("integer", sender.send(Value::of(i)));
  sender.close();
  consumer.join();
  report("a channel of integers, two C++ threads", events, seconds_since(start));
  return sum == events * (events - 1) / 2;
}

}  // namespace

int main(int argc, char** argv) {
  const bool python = argc < 2 || std::strcmp(argv[1], "--no-python") != 0;
  const char* number = argc > (python ? 1 : 2) ? argv[python ? 1 : 2] : "10000000";
  const std::int64_t events = std::atoll(number);
  if (events < strategies) {
    std::fprintf(stderr, "usage: simulation [--no-python] [EVENTS]\n");
    return 2;
  }
  bool right = true;
  if (python) {
    const Python here;
    right = simulate("two Python interpreters", events, run_python);
  }
  right = simulate("two C++ threads instead", events, run_cpp) && right;
  right = run_channel(events) && right;
#if __has_include("ring/mpmc.h")
  right = run_bare_ring(events) && right;
#endif
  const xichan::MemoryStats memory = xichan::memory_stats();
  std::printf("arena: %llu blocks, %llu bytes left\n", static_cast<unsigned long long>(memory.blocks),
              static_cast<unsigned long long>(memory.bytes));
  return right && memory.blocks == 0 ? 0 : 1;
}
