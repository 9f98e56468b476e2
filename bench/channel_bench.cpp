// The overhead of a channel over its ring: the same traffic through both.
//
//   pair/...      one thread: a send and a receive
//   traffic/...   one producer and one consumer that never block
//   blocking/...  the same through the blocking public calls
#include <memory>

#include "candidates/others.h"
#include "channel/channel.h"
#include "directory/create_channel.h"
#include "ring/mpmc.h"
#include "support.h"
#include "xichan/channel.h"

namespace xichan::bench {
namespace {

constexpr std::uint64_t capacity = 1024;

template <class Queue>
struct Bare : Queue {
  Bare() : Queue(capacity) {}
};

template <Flavor flavor>
class ThroughChannel {
 public:
  ~ThroughChannel() {
    channel_->drop_endpoint(Side::sender);
    channel_->drop_endpoint(Side::receiver);
  }
  bool try_push(const Cell& item) noexcept { return channel_->try_send(item, send_lane_) == Status::ok; }
  bool try_pop(Cell& item) noexcept { return channel_->try_recv(item, recv_lane_) == Status::ok; }

 private:
  static Channel* make() noexcept {
    Channel* channel;
    if (create_channel({.flavor = flavor, .capacity = capacity}, channel) != Status::ok) std::terminate();
    return channel;
  }

  Channel* const channel_ = make();
  alignas(cache_line) Lane send_lane_{*channel_};
  alignas(cache_line) Lane recv_lane_{*channel_};
};

class Blocking {
 public:
  Blocking() {
    if (channel(capacity, sender_, receiver_) != Status::ok) std::terminate();
  }
  bool try_push(const Cell& item) noexcept { return sender_.send(Value::of(item.as_integer())) == Status::ok; }
  bool try_pop(Cell& item) noexcept {
    Value value;
    if (receiver_.recv(value) != Status::ok) return false;
    item = Cell::integer(value.view().as_integer());
    return true;
  }

 private:
  Sender sender_;
  Receiver receiver_;
};

template <class Queue>
void pair(benchmark::State& state) {
  Queue queue;
  push_and_pop(state, queue);
}

template <class Queue>
void traffic(benchmark::State& state) {
  measure(state, [] { return std::make_unique<Queue>(); }, Traffic{});
}

template <class Queue>
void enter(const char* pair_name, const char* traffic_name) {
  with_statistics(benchmark::RegisterBenchmark(pair_name, pair<Queue>));
  with_statistics(benchmark::RegisterBenchmark(traffic_name, traffic<Queue>))
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
}

const bool entered = [] {
  enter<Bare<Own<MpmcRing<Cell>>>>("pair/bare_mpmc", "traffic/bare_mpmc");
  enter<ThroughChannel<Flavor::mpmc>>("pair/channel_mpmc", "traffic/channel_mpmc");
  enter<Bare<BoostSpsc<Cell>>>("pair/bare_spsc", "traffic/bare_spsc");
  enter<ThroughChannel<Flavor::spsc>>("pair/channel_spsc", "traffic/channel_spsc");
  enter<ThroughChannel<Flavor::unbounded>>("pair/channel_unbounded", "traffic/channel_unbounded");
  enter<ThroughChannel<Flavor::relaxed>>("pair/channel_relaxed", "traffic/channel_relaxed");
  enter<Blocking>("pair/public_mpmc", "blocking/public_mpmc");
  return true;
}();

}  // namespace
}  // namespace xichan::bench
