// The rings and the alternatives to the bounded one, with 1x1, 2x2 and 4x4 threads, nearly empty, and with one thread.
//
//   traffic/RING/threads    100,000 messages through a capacity of 1024, each side as fast as it can
//   nearly_empty/RING/n     as many; the only consumer makes n pauses after each attempt that found the ring empty
//   bulk/RING               one thread: 1000 pushes, then 1000 pops
//   pair/RING               one thread: a push and a pop
#include <functional>
#include <memory>
#include <string>

#include "candidates/others.h"
#include "candidates/scq.h"
#include "ring/mpmc.h"
#include "ring/segmented.h"
#include "support.h"

namespace xichan::bench {
namespace {

constexpr std::uint64_t capacity = 1024;

struct Segmented : SegmentedRing<Cell> {
  explicit Segmented(std::uint64_t) noexcept {}
};

template <class Queue>
void pair(benchmark::State& state) {
  Queue queue(capacity);
  push_and_pop(state, queue);
}

template <class Queue>
void bulk(benchmark::State& state) {
  constexpr std::int64_t items = 1000;
  Queue queue(capacity);
  Cell cell;
  for (auto _ : state) {
    for (std::int64_t i = 0; i < items; ++i) {
      if (!queue.try_push(Cell::integer(i))) return fail(state, "full");
    }
    for (std::int64_t i = 0; i < items; ++i) {
      if (!queue.try_pop(cell) || cell.as_integer() != i) return fail(state, "wrong item");
    }
  }
  state.counters["message"] = benchmark::Counter(static_cast<double>(state.iterations() * items),
                                                 benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

template <class Queue>
void enter(const std::string& name, bool many_sides) {
  const auto add = [&](const std::string& what, std::function<void(benchmark::State&)> run) {
    return with_statistics(benchmark::RegisterBenchmark(what.c_str(), std::move(run)));
  };
  const auto make = [] { return std::make_unique<Queue>(capacity); };
  for (const unsigned side : {1u, 2u, 4u}) {
    if (side > 1 && !many_sides) continue;
    const Traffic traffic{.producers = side, .consumers = side};
    add("traffic/" + name + "/" + std::to_string(side) + "x" + std::to_string(side),
        [=](benchmark::State& state) { measure(state, make, traffic); })
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
  }
  for (const unsigned pauses : {1u, 10u, 30u, 100u, 400u}) {
    const Traffic traffic{.pauses = pauses};
    add("nearly_empty/" + name + "/" + std::to_string(pauses),
        [=](benchmark::State& state) { measure(state, make, traffic); })
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
  }
  add("bulk/" + name, bulk<Queue>)->Unit(benchmark::kMicrosecond);
  add("pair/" + name, pair<Queue>);
}

const bool entered = [] {
  enter<Own<MpmcRing<Cell>>>("mpmc", true);
  enter<Scq<Cell>>("scq", true);
  enter<BoostQueue<Cell>>("boost_queue", true);
  enter<Moodycamel<Cell>>("moodycamel", true);
  enter<LockedDeque<Cell>>("locked_deque", true);
  enter<Own<Segmented>>("segmented", true);
  enter<BoostSpsc<Cell>>("boost_spsc", false);
  return true;
}();

}  // namespace
}  // namespace xichan::bench
