// Helpers of the benchmarks: statistics over rounds, and runs of producers against consumers.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include "base/atomic.h"
#include "value/cell.h"
#include "xichan/status.h"

namespace xichan::bench {

using namespace internal;

/// Set if a benchmark has found a wrong result; the program then exits with an error.
inline std::atomic<bool> failed{false};

/// Ends a benchmark that has found a wrong result.
inline void fail(benchmark::State& state, const char* what) {
  failed.store(true);
  state.SkipWithError(what);
}

/// Adds two statistics to a benchmark: its best round, and how much slower the worst round was.
inline benchmark::internal::Benchmark* with_statistics(benchmark::internal::Benchmark* one) {
  one->ComputeStatistics("best", [](const std::vector<double>& times) { return *std::ranges::min_element(times); });
  one->ComputeStatistics(
      "spread",
      [](const std::vector<double>& times) {
        const auto [low, high] = std::ranges::minmax_element(times);
        return *high / *low - 1;
      },
      benchmark::kPercentage);
  return one;
}

/// One of the project's rings.
template <class R>
class Own {
 public:
  explicit Own(std::uint64_t bound) : ring_(bound) {}
  bool try_push(const Cell& item) noexcept { return ring_.try_push(item) == Status::ok; }
  bool try_pop(Cell& item) noexcept { return ring_.try_pop(item) == Status::ok; }

 private:
  R ring_;
};

/// One thread puts an item in and takes it out again.
template <class Queue>
void push_and_pop(benchmark::State& state, Queue& queue) {
  Cell cell;
  std::int64_t number = 0;
  for (auto _ : state) {
    if (!queue.try_push(Cell::integer(number)) || !queue.try_pop(cell) || cell.as_integer() != number++) {
      return fail(state, "popped another item than was pushed");
    }
  }
}

/// Waits between attempts that found the ring full or empty, in the same way for every contender. It yields soon,
/// because with more threads than CPUs the other side may need this one.
class Patience {
 public:
  explicit Patience(unsigned pauses = 1) noexcept : pauses_(pauses) {}

  void wait() noexcept {
    for (unsigned i = 0; i < pauses_; ++i) cpu_relax();
    waited_ += pauses_;
    if (waited_ < 500) return;
    waited_ = 0;
    std::this_thread::yield();
  }

 private:
  const unsigned pauses_;
  unsigned waited_ = 0;
};

struct Traffic {
  unsigned producers = 1;
  unsigned consumers = 1;
  std::uint64_t messages = 100'000;  // in all; a multiple of both
  unsigned pauses = 1;               // of a consumer that found nothing
  bool check = false;                // each producer's items arrive in order, and every item once
};

/// Sends `messages` through `queue`, which has `try_push(Cell)` and `try_pop(Cell&)` that return true on success.
/// Seconds from the common start to the end of the last thread; negative if a check failed.
template <class Queue>
double run(Queue& queue, const Traffic& traffic) {
  const unsigned threads = traffic.producers + traffic.consumers;
  std::atomic<unsigned> ready{0};
  std::atomic<bool> start{false};
  std::atomic<bool> wrong{false};
  std::atomic<std::uint64_t> sum{0};
  const std::uint64_t share = traffic.messages / traffic.producers;

  const auto produce = [&](std::uint64_t producer) {
    Patience patience;
    for (std::uint64_t i = 0; i < share; ++i) {
      const Cell cell = Cell::integer(static_cast<std::int64_t>(producer << 32 | i));
      while (!queue.try_push(cell)) patience.wait();
    }
  };
  const auto consume = [&] {
    Patience patience(traffic.pauses);
    std::vector<std::int64_t> next(traffic.producers, -1);
    std::uint64_t mine = 0;
    for (std::uint64_t i = traffic.messages / traffic.consumers; i > 0; --i) {
      Cell cell;
      while (!queue.try_pop(cell)) patience.wait();
      const auto item = static_cast<std::uint64_t>(cell.as_integer());
      mine += item;
      if (!traffic.check) continue;
      const auto number = static_cast<std::int64_t>(item & UINT32_MAX);
      if (item >> 32 >= traffic.producers || number <= next[item >> 32]) {
        wrong.store(true);
      } else {
        next[item >> 32] = number;
      }
    }
    sum.fetch_add(mine);
  };

  std::vector<std::thread> workers;
  for (unsigned i = 0; i < threads; ++i) {
    workers.emplace_back([&, i] {
      ready.fetch_add(1);
      while (!start.load()) std::this_thread::yield();
      if (i < traffic.producers) {
        produce(i);
      } else {
        consume();
      }
    });
  }
  while (ready.load() != threads) std::this_thread::yield();
  const auto begin = std::chrono::steady_clock::now();
  start.store(true);
  for (std::thread& worker : workers) worker.join();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;

  std::uint64_t expected = 0;
  for (std::uint64_t p = 0; p < traffic.producers; ++p) expected += (p << 32) * share + share * (share - 1) / 2;
  return wrong.load() || sum.load() != expected ? -1 : elapsed.count();
}

/// Measures `run` on a queue made for each round by `make`, after one checked run. The counter `message` is the time
/// that one message takes.
template <class Make>
void measure(benchmark::State& state, Make make, Traffic traffic) {
  traffic.check = true;
  {
    auto queue = make();
    if (run(*queue, traffic) < 0) return fail(state, "what arrived is not what was sent");
  }
  traffic.check = false;
  auto queue = make();
  for (auto _ : state) {
    const double seconds = run(*queue, traffic);
    if (seconds < 0) return fail(state, "what arrived is not what was sent");
    state.SetIterationTime(seconds);
  }
  const auto messages = static_cast<double>(state.iterations()) * static_cast<double>(traffic.messages);
  state.counters["message"] = benchmark::Counter(messages, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

}  // namespace xichan::bench
