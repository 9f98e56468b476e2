// The channel under the model checker: the real src/channel/{channel,overflow,rendezvous,select,wait_closed}.cpp and
// src/sync/{wait_list,thread_waiter}.cpp over a modeled futex and modeled messages. A lost wake-up shows as a deadlock;
// a lost or duplicated message, or a channel destroyed too early or never, as a failed assertion. Include it in one
// source file per model, because it defines functions. The registry is the real one or that of no_registry.h.
#pragma once

#include "model.h"

#include <span>
#include <string_view>
#include <utility>

#include "base/worklist.h"
#include "channel/bounded_send.cpp"
#include "channel/channel.cpp"
#include "channel/lines.cpp"
#include "channel/overflow.cpp"
#include "channel/rendezvous.cpp"
#include "directory/create_channel.cpp"
#include "endpoint/readiness.cpp"
#include "sync/spin.h"
#include "sync/thread_waiter.cpp"
#include "sync/wait_list.cpp"

// The seed of select's random order is not kept, so that the checker chooses the order each time.
#define thread_local
#include "channel/select.cpp"
#undef thread_local
#include "channel/wait_closed.cpp"

namespace xichan::internal {
namespace model {
namespace {

// The environment of the channel in one schedule.
struct World {
  static constexpr unsigned threads = 5;
  static constexpr unsigned messages = 64;

  struct Sleeper {
    const void* word = nullptr;
    rl::generic_event bell;
  };

  // The one descriptor of a schedule.
  struct Event {
    rl::var<int> file;  // read by every signal, written when the descriptor is closed
    rl::generic_event readable;
    bool is_fresh = false;  // signaled since the last time that a wait returned
  };

  Sleeper sleepers[threads];
  Event event;
  rl::var<int> memory;  // stands in for the channel's memory: read by every use, written when it is freed
  int channels = 0;     // of no_registry.h
  int released[messages] = {};
};
World* world;

}  // namespace
}  // namespace model

// The futex: comparing and sleeping is one step, and so is finding and waking a sleeper, as in the kernel. A sleep with
// a deadline may time out at any moment.
WaitResult futex_wait(atomic<std::uint32_t>& word, std::uint32_t expected, Deadline deadline) noexcept {
  model::World::Sleeper& me = model::world->sleepers[rl::thread_index()];
  if (word.debug_value() != expected) return WaitResult::woken;
  me.word = &word;
  const rl::sema_wakeup_reason reason = me.bell.wait(false, !deadline.is_never(), $);
  me.word = nullptr;
  return reason == rl::sema_wakeup_reason_timeout ? WaitResult::timed_out : WaitResult::woken;
}
void futex_wake(atomic<std::uint32_t>* word) noexcept {
  static_cast<void>(Registry::size());  // takes the registry's lock: no system call may happen under it
  for (model::World::Sleeper& sleeper : model::world->sleepers) {
    if (sleeper.word != word) continue;
    sleeper.word = nullptr;
    return sleeper.bell.set($);
  }
}
unsigned usable_cpus() noexcept { return 1; }  // no spinning

// A descriptor: it is readable from a signal until it is cleared, and no signal comes after it was closed.
EventDescriptor* EventDescriptor::create() noexcept {
  model::world->event.file($) = 1;
  return new EventDescriptor(0);
}
void EventDescriptor::destroy() noexcept {
  model::world->event.file($) = 0;
  delete this;
}
void EventDescriptor::signal() noexcept {
  static_cast<void>(Registry::size());  // as futex_wake
  RL_ASSERT(model::world->event.file($) == 1);
  model::world->event.readable.set($);
  model::world->event.is_fresh = true;  // in the same step: a thread that it wakes runs later
}
void EventDescriptor::clear() noexcept { model::world->event.readable.reset($); }

// A bit that decides what `random_below(2)` returns in select.cpp.
std::uint64_t random_bits() noexcept { return std::uint64_t{rl::rand(2)} << 63; }

Status Names::add_channel(std::string_view, const ChannelId&) noexcept { return Status::ok; }
void Names::remove(std::string_view) noexcept {}
void retain(const Cell& cell) noexcept { --model::world->released[cell.word]; }
void release(const Cell& cell) noexcept { ++model::world->released[cell.word]; }

namespace model {
namespace {

// The kind of a model's channels. A number means an mpmc channel of that capacity, 0 a rendezvous.
struct ChannelKind {
  Flavor flavor;
  std::uint64_t capacity;
  std::uint64_t max_bytes = 0;  // each message costs one, unless its number is high
  Overflow overflow = Overflow::block;

  constexpr ChannelKind(std::uint64_t mpmc) : ChannelKind(mpmc == 0 ? Flavor::rendezvous : Flavor::mpmc, mpmc) {}
  constexpr ChannelKind(Flavor its_flavor, std::uint64_t its_capacity, std::uint64_t its_max_bytes = 0,
                        Overflow its_overflow = Overflow::block)
      : flavor(its_flavor), capacity(its_capacity), max_bytes(its_max_bytes), overflow(its_overflow) {}
};

// Some channels with some endpoints each. Each thread makes calls for its own endpoint and may drop it. Every message
// is a unique number.
template <class Derived, unsigned Threads, unsigned Senders, unsigned Receivers, ChannelKind Of, unsigned Channels = 1>
struct WithChannel : Model<Derived, Threads> {
  World surroundings;
  Channel* channels[Channels];
  int ends_left[Channels][2];  // those that the threads have not dropped
  Lane lane;
  atomic<bool> closed[2][Threads];  // each thread's ends, by side
  atomic<bool> exiting;
  atomic<std::uint32_t> interrupts;
  std::uint64_t last_message = 0;
  int accepted[World::messages] = {};
  int received[World::messages] = {};

  void begin() {
    world = &surroundings;
    surroundings.memory($) = 1;
    for (World::Sleeper& sleeper : surroundings.sleepers) sleeper.bell.init(false, false, $);
    surroundings.event.readable.init(true, false, $);
    for (auto& flags : closed) {
      for (auto& flag : flags) flag.store(false, memory_order_relaxed);
    }
    exiting.store(false, memory_order_relaxed);
    interrupts.store(0, memory_order_relaxed);
    for (Channel*& channel : channels) {
      const ChannelOptions options{
          .flavor = Of.flavor, .capacity = Of.capacity, .max_bytes = Of.max_bytes, .overflow = Of.overflow};
      RL_ASSERT(create_channel(options, channel) == Status::ok);
      for (unsigned i = 1; i < Senders; ++i) channel->add_endpoint(Side::sender);
      for (unsigned i = 1; i < Receivers; ++i) channel->add_endpoint(Side::receiver);
    }
    for (auto& left : ends_left) {
      left[static_cast<unsigned>(Side::sender)] = Senders;
      left[static_cast<unsigned>(Side::receiver)] = Receivers;
    }
  }
  // Drops the ends that the threads have kept, so that no wake-up of a close hides one that was lost.
  void after() {
    for (unsigned i = 0; i < Channels; ++i) {
      for (const Side side : {Side::sender, Side::receiver}) {
        while (ends_left[i][static_cast<unsigned>(side)] > 0) drop_endpoint(side, i);
      }
    }
    for (unsigned i = 1; i < World::messages; ++i) {
      // The scenarios of closing_model use other numbers for errors.
      if (i > last_message && (i < Cell::heavy || i >= Cell::heavy + World::threads)) continue;
      RL_ASSERT(accepted[i] <= 1);
      RL_ASSERT(accepted[i] == received[i] + surroundings.released[i]);
    }
    RL_ASSERT(Registry::size() == 0);
    for (World::Sleeper& sleeper : surroundings.sleepers) sleeper.bell.deinit($);
    surroundings.event.readable.deinit($);
  }
  static int total(const int (&counts)[World::messages]) {
    int sum = 0;
    for (const int count : counts) sum += count;
    return sum;
  }

  // A message that costs two.
  Case sending_heavy(unsigned thread) { return as_case(thread, Side::sender, 0, Cell::heavy + thread); }
  Case sending(unsigned thread, unsigned channel = 0) { return as_case(thread, Side::sender, channel, ++last_message); }
  Case receiving(unsigned thread, unsigned channel = 0) { return as_case(thread, Side::receiver, channel, 0); }
  Case as_case(unsigned thread, Side side, unsigned channel, std::uint64_t message) {
    const atomic<bool>& end_closed = closed[static_cast<unsigned>(side)][thread];
    return {.channel = channels[channel],
            .side = side,
            .lane = &lane,
            .end_closed = &end_closed,
            .owner = &end_closed,
            .cell = message};
  }
  // As the callers of `wait_any` do it, and counts what was sent or received.
  Status wait(std::span<Case> cases, std::size_t& chosen, Deadline deadline = Deadline::never()) {
    Status status = try_any(cases, chosen);
    if (status == Status::full || status == Status::empty) {
      status = wait_any(cases, {deadline, Deadline::never(), &exiting, false}, chosen);
    }
    if (status == Status::ok) count(cases[chosen]);
    return status;
  }
  void count(const Case& c) {
    RL_ASSERT(c.cell.word != 0 && (c.cell.word <= last_message || c.cell.word >= Cell::heavy));
    ++(c.side == Side::sender ? accepted : received)[c.cell.word];
    RL_ASSERT(Of.max_bytes == 0 || Of.overflow == Overflow::drop_oldest || c.channel->stats().bytes <= Of.max_bytes);
  }
  Status wait(Case only, Deadline deadline = Deadline::never()) {
    std::size_t chosen;
    return wait({&only, 1}, chosen, deadline);
  }
  Status send(unsigned thread, Deadline deadline = Deadline::never(), unsigned channel = 0) {
    return wait(sending(thread, channel), deadline);
  }
  Status recv(unsigned thread, Deadline deadline = Deadline::never(), unsigned channel = 0) {
    return wait(receiving(thread, channel), deadline);
  }
  // In a line, also if it has to wait.
  Status send_line(unsigned thread) {
    Case only = sending(thread);
    Line line{only.cell.word};
    only.line = &line;
    const Status status = channels[0]->try_send_line(only.cell, line, lane);
    if (status == Status::ok) count(only);
    return status == Status::full ? wait(only) : status;
  }
  // One attempt, without waiting.
  Status attempt(Case only) {
    std::size_t chosen;
    const Status status = try_any({&only, 1}, chosen);
    if (status == Status::ok) count(only);
    return status;
  }
  Status poll(unsigned thread) { return attempt(receiving(thread)); }
  void use() { RL_ASSERT(surroundings.memory($) == 1); }
  void drop_endpoint(Side side, unsigned channel = 0) {
    use();
    --ends_left[channel][static_cast<unsigned>(side)];
    channels[channel]->drop_endpoint(side);
  }
  void unpin() {
    use();
    channels[0]->unpin();
  }
  // As Endpoint::close does it with a call inside.
  void cancel(unsigned thread, Side side) {
    atomic<bool>& end_closed = closed[static_cast<unsigned>(side)][thread];
    end_closed.store(true, memory_order_seq_cst);
    if (side == Side::sender) channels[0]->withdraw_owner(&end_closed);
    channels[0]->cancel_calls(side, &end_closed);
  }
  // As EndpointOwner::begin_exit does it for one endpoint.
  void nudge(unsigned thread, Side side, unsigned channel = 0) {
    channels[channel]->nudge_calls(side, &closed[static_cast<unsigned>(side)][thread]);
  }
};

}  // namespace
}  // namespace model
}  // namespace xichan::internal
