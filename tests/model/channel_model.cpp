// Models of the channel: src/channel/channel.cpp, rendezvous.cpp and select.cpp and src/sync/wait_list.cpp and
// thread_waiter.cpp as they are, over a futex, a registry and messages made for the purpose. A lost wake-up shows as a
// deadlock, a lost or doubled message or a channel freed too early or never as a failed assertion.
#include "model.h"

#include <span>
#include <string_view>
#include <utility>

#include "base/worklist.h"
#include "channel/channel.cpp"
#include "channel/registry.h"
#include "channel/rendezvous.cpp"
#include "sync/spin.h"
#include "sync/thread_waiter.cpp"
#include "sync/wait_list.cpp"

// The order in which a select tries its cases is seeded anew each time, so that it is the checker's choice.
#define thread_local
#include "channel/select.cpp"
#undef thread_local

namespace xichan {
namespace model {
namespace {

// What stands around the channel in one schedule.
struct World {
  static constexpr unsigned threads = 5;
  static constexpr unsigned messages = 64;

  struct Sleeper {
    const void* word = nullptr;
    rl::generic_event bell;
  };

  Sleeper sleepers[threads];
  rl::var<int> memory;  // stands for the channel's: read by all who use it, written when it is freed
  int channels = 0;
  int given_back[messages] = {};
};
World* world;

}  // namespace
}  // namespace model

// The futex: compare and sleep is one step, and so are finding a sleeper and waking it, as in the kernel. A sleep with
// a deadline may end by it at any time.
WaitResult futex_wait(atomic<std::uint32_t>& word, std::uint32_t expected, Deadline deadline) noexcept {
  model::World::Sleeper& me = model::world->sleepers[rl::thread_index()];
  if (word.debug_value() != expected) return WaitResult::woken;
  me.word = &word;
  const rl::sema_wakeup_reason reason = me.bell.wait(false, !deadline.is_never(), $);
  me.word = nullptr;
  return reason == rl::sema_wakeup_reason_timeout ? WaitResult::timed_out : WaitResult::woken;
}
void futex_wake(atomic<std::uint32_t>* word) noexcept {
  for (model::World::Sleeper& sleeper : model::world->sleepers) {
    if (sleeper.word != word) continue;
    sleeper.word = nullptr;
    return sleeper.bell.set($);
  }
}
unsigned usable_cpus() noexcept { return 1; }  // no spinning
// A bit that decides what `random_below(2)` answers in select.cpp.
std::uint64_t random_bits() noexcept { return std::uint64_t{rl::rand(2)} << 7; }

bool Registry::add(Channel&, ChannelId& id) noexcept {
  id = {1, 1};
  ++model::world->channels;
  model::world->memory($) = 1;
  return true;
}
void Registry::remove(const ChannelId&) noexcept {
  if (--model::world->channels == 0) model::world->memory($) = 0;
}
Status Names::add_channel(std::string_view, const ChannelId&) noexcept { return Status::ok; }
void Names::remove(std::string_view) noexcept {}
void release(const Cell& cell) noexcept { ++model::world->given_back[cell.word]; }

namespace model {
namespace {

// Some channels with some ends each. Each thread makes calls on behalf of an end of its own, and may drop it. Without a
// capacity a channel is a rendezvous. Every message is a number of its own.
template <class Derived, unsigned Threads, unsigned Senders, unsigned Receivers, std::uint64_t Capacity,
          unsigned Channels = 1>
struct WithChannel : Model<Derived, Threads> {
  World surroundings;
  Channel* channels[Channels];
  Lane lane;
  atomic<bool> closed[2][Threads];  // each thread's ends, by side
  atomic<bool> exiting;
  std::uint64_t last_message = 0;
  int accepted[World::messages] = {};
  int received[World::messages] = {};

  void begin() {
    world = &surroundings;
    for (World::Sleeper& sleeper : surroundings.sleepers) sleeper.bell.init(false, false, $);
    for (auto& flags : closed) {
      for (auto& flag : flags) flag.store(false, memory_order_relaxed);
    }
    exiting.store(false, memory_order_relaxed);
    for (Channel*& channel : channels) {
      const ChannelOptions options{.flavor = Capacity == 0 ? Flavor::rendezvous : Flavor::mpmc, .capacity = Capacity};
      RL_ASSERT(Channel::create(options, channel) == Status::ok);
      for (unsigned i = 1; i < Senders; ++i) channel->add_end(Side::sender);
      for (unsigned i = 1; i < Receivers; ++i) channel->add_end(Side::receiver);
    }
  }
  void after() {
    for (unsigned i = 1; i <= last_message; ++i) {
      RL_ASSERT(accepted[i] <= 1);
      RL_ASSERT(accepted[i] == received[i] + surroundings.given_back[i]);
    }
    RL_ASSERT(surroundings.channels == 0);
    for (World::Sleeper& sleeper : surroundings.sleepers) sleeper.bell.deinit($);
  }
  static int total(const int (&counts)[World::messages]) {
    int sum = 0;
    for (const int count : counts) sum += count;
    return sum;
  }

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
    RL_ASSERT(c.cell.word != 0 && c.cell.word <= last_message);
    ++(c.side == Side::sender ? accepted : received)[c.cell.word];
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
  // One attempt, without waiting.
  Status attempt(Case only) {
    std::size_t chosen;
    const Status status = try_any({&only, 1}, chosen);
    if (status == Status::ok) count(only);
    return status;
  }
  Status poll(unsigned thread) { return attempt(receiving(thread)); }
  void use() { RL_ASSERT(surroundings.memory($) == 1); }
  void drop_end(Side side, unsigned channel = 0) {
    use();
    channels[channel]->drop_end(side);
  }
  void drop_all_ends() {
    for (unsigned i = 0; i < Channels; ++i) {
      for (unsigned n = 0; n < Senders; ++n) drop_end(Side::sender, i);
      for (unsigned n = 0; n < Receivers; ++n) drop_end(Side::receiver, i);
    }
  }
  void unpin() {
    use();
    channels[0]->unpin();
  }
  // As End::close does it with a call inside.
  void cancel(unsigned thread, Side side) {
    atomic<bool>& end_closed = closed[static_cast<unsigned>(side)][thread];
    end_closed.store(true, memory_order_seq_cst);
    channels[0]->cancel_calls(side, &end_closed);
  }
};

// Everybody waits as long as it takes; all is sent and all is received.
template <unsigned Senders, unsigned Receivers, std::uint64_t Capacity, int Items>
struct Traffic
    : WithChannel<Traffic<Senders, Receivers, Capacity, Items>, Senders + Receivers, Senders, Receivers, Capacity> {
  void thread(unsigned index) {
    const bool sends = index < Senders;
    constexpr int share = Senders * Items / Receivers;
    for (int i = 0; i < (sends ? Items : share); ++i) {
      RL_ASSERT((sends ? this->send(index) : this->recv(index)) == Status::ok);
    }
    this->drop_end(sends ? Side::sender : Side::receiver);
  }
};

// The senders go, one by one; receivers drain until they are told that it is over.
template <unsigned Senders, unsigned Receivers, std::uint64_t Capacity>
struct LastSender
    : WithChannel<LastSender<Senders, Receivers, Capacity>, Senders + Receivers, Senders, Receivers, Capacity> {
  void thread(unsigned index) {
    if (index < Senders) {
      RL_ASSERT(this->send(index) == Status::ok);
      this->drop_end(Side::sender);
    } else {
      Status status;
      while ((status = this->recv(index)) == Status::ok) {
      }
      RL_ASSERT(status == Status::closed);
      this->drop_end(Side::receiver);
    }
  }
  void after() {
    RL_ASSERT(this->total(this->received) == static_cast<int>(Senders));
    LastSender::WithChannel::after();
  }
};

// The receivers go; senders are told, and what was queued is discarded by somebody.
template <unsigned Senders, unsigned Receivers, std::uint64_t Capacity>
struct LastReceiver
    : WithChannel<LastReceiver<Senders, Receivers, Capacity>, Senders + Receivers, Senders, Receivers, Capacity> {
  void thread(unsigned index) {
    if (index < Senders) {
      Status status;
      while ((status = this->send(index)) == Status::ok) {
      }
      RL_ASSERT(status == Status::closed);
      this->drop_end(Side::sender);
    } else {
      if (index == Senders) this->poll(index);
      this->drop_end(Side::receiver);
    }
  }
};

// One thread shuts the channel down, another is in the middle of a send, two wait to receive.
template <bool Immediate, std::uint64_t Capacity = 1>
struct Shutdown : WithChannel<Shutdown<Immediate, Capacity>, 4, 2, 2, Capacity> {
  void thread(unsigned index) {
    if (index == 0) this->channels[0]->shutdown(Immediate);
    if (index == 1) this->send(index);
    if (index >= 2) {
      while (this->recv(index) == Status::ok) {
      }
    }
    this->drop_end(index < 2 ? Side::sender : Side::receiver);
  }
};

// Senders wait for room that never comes, until the channel is shut down.
template <bool Immediate, std::uint64_t Capacity = 1>
struct ShutdownFull : WithChannel<ShutdownFull<Immediate, Capacity>, 3, 3, 1, Capacity> {
  void thread(unsigned index) {
    if (index == 0) this->channels[0]->shutdown(Immediate);
    if (index != 0) {
      while (this->send(index) == Status::ok) {
      }
    }
    this->drop_end(Side::sender);
  }
  void after() {
    this->drop_end(Side::receiver);
    ShutdownFull::WithChannel::after();
  }
};

// Two receivers wait; the end of one is closed while an item comes. The item is received by one of them, or left.
struct Cancelled : WithChannel<Cancelled, 4, 2, 2, 1> {
  void thread(unsigned index) {
    if (index == 0) {
      send(0);
      drop_end(Side::sender);
    } else if (index == 1) {
      cancel(2, Side::receiver);
      drop_end(Side::sender);
    } else {
      const Status status = recv(index);
      RL_ASSERT(status == Status::ok || status == (index == 2 ? Status::end_closed : Status::closed) ||
                status == Status::closed);
      drop_end(Side::receiver);
    }
  }
};

// One receiver stays, the other is cancelled, or its time may be up at any moment. There is one item, and a second one
// only if the first went to the one who leaves: the one who stays must get it.
template <bool Timed, std::uint64_t Capacity = 1>
struct OneStays : WithChannel<OneStays<Timed, Capacity>, 3, 2, 2, Capacity> {
  void thread(unsigned index) {
    if (index == 0) {
      this->send(0);
      if (!Timed) this->cancel(1, Side::receiver);
      this->drop_end(Side::sender);
    } else if (index == 1) {
      if (this->recv(1, Timed ? Deadline::at(1) : Deadline::never()) == Status::ok) this->send(1);
      this->drop_end(Side::sender);
    } else {
      RL_ASSERT(this->recv(2) == Status::ok);
    }
  }
  void after() {
    this->drop_end(Side::receiver);
    this->drop_end(Side::receiver);
    OneStays::WithChannel::after();
  }
};

// Both last ends and a pin go at the same time: the channel is freed once, and by the last of them.
struct LastHandle : WithChannel<LastHandle, 4, 1, 1, 2> {
  void begin() {
    WithChannel::begin();
    channels[0]->pin();
    channels[0]->pin();
    RL_ASSERT(attempt(sending(0)) == Status::ok);
  }
  void thread(unsigned index) {
    if (index == 0) drop_end(Side::sender);
    if (index == 1) drop_end(Side::receiver);
    if (index == 2) {
      poll(2);
      unpin();
    }
    if (index == 3) {
      if (channels[0]->try_add_end(Side::receiver)) drop_end(Side::receiver);
      unpin();
    }
  }
};

// At a rendezvous, where either side may give up at any moment. What a sender was told to have sent is received, and
// what it took back is not. The last one to send stays until it is rid of its message, or until nobody can take it.
struct TimedMeeting : WithChannel<TimedMeeting, 4, 2, 2, 0> {
  void thread(unsigned index) {
    if (index == 0) {
      const Status status = send(0, Deadline::at(1));
      RL_ASSERT(status == Status::ok || status == Status::timeout || status == Status::closed);
    } else if (index == 1) {
      const Status status = send(1);
      RL_ASSERT(status == Status::ok);
    } else if (index == 2) {
      const Status status = recv(2, Deadline::at(1));
      RL_ASSERT(status == Status::ok || status == Status::timeout || status == Status::closed);
    } else {
      while (recv(3) == Status::ok) {
      }
    }
    drop_end(index < 2 ? Side::sender : Side::receiver);
  }
};

// One select over two channels with one sender each, and a second receiver at the first channel, which gets what is not
// meant for the select. If the select took that, another one comes: it sends it itself, or, at a rendezvous, the sender
// that nobody met at the second channel goes over to the first.
template <std::uint64_t Capacity>
struct SelectTwo : WithChannel<SelectTwo<Capacity>, 4, 2, 2, Capacity, 2> {
  static constexpr bool meets = Capacity == 0;

  void thread(unsigned index) {
    if (index == 0) RL_ASSERT(this->send(0) == Status::ok);
    if (index == 1) {
      const Status status = this->send(1, meets ? Deadline::at(1) : Deadline::never(), 1);
      RL_ASSERT(status == Status::ok || (meets && status == Status::timeout));
      if (status != Status::ok) RL_ASSERT(this->send(1) == Status::ok);
    }
    if (index == 2) {
      Case cases[] = {this->receiving(2, 1), this->receiving(2, 0)};
      std::size_t chosen;
      RL_ASSERT(this->wait(cases, chosen) == Status::ok);
      RL_ASSERT(cases[1 - chosen].cell.word == 0);
      if (chosen == 1 && !meets) RL_ASSERT(this->send(2) == Status::ok);
    }
    if (index == 3) RL_ASSERT(this->recv(3) == Status::ok);
  }
  void after() {
    RL_ASSERT(this->total(this->received) == 2);
    this->drop_all_ends();
    SelectTwo::WithChannel::after();
  }
};

// Two selects over two rendezvous channels, each of which would send at one and receive at the other. They meet, at
// one.
template <int Rounds>
struct SelectCrossed : WithChannel<SelectCrossed<Rounds>, 2, 1, 1, 0, 2> {
  int met[2][Rounds];  // where

  void thread(unsigned index) {
    for (int i = 0; i < Rounds; ++i) {
      Case cases[] = {this->sending(index, index), this->receiving(index, 1 - index)};
      std::size_t chosen;
      RL_ASSERT(this->wait(cases, chosen) == Status::ok);
      met[index][i] = chosen == 0 ? index : 1 - index;
    }
  }
  void after() {
    for (int i = 0; i < Rounds; ++i) RL_ASSERT(met[0][i] == met[1][i]);
    RL_ASSERT(this->total(this->received) == Rounds);
    this->drop_all_ends();
    SelectCrossed::WithChannel::after();
  }
};

// Three selects in a ring, each between its own channel and the next one's. Two of them meet, wherever; who has met
// closes everything, for the sake of the third.
struct SelectRing : WithChannel<SelectRing, 3, 1, 1, 0, 3> {
  int met = 0;

  void thread(unsigned index) {
    Case cases[] = {sending(index, index), receiving(index, (index + 1) % 3)};
    std::size_t chosen;
    const Status status = wait(cases, chosen);
    RL_ASSERT(status == Status::ok || status == Status::closed);
    if (status != Status::ok) return;
    ++met;
    for (Channel* channel : channels) channel->shutdown(false);
  }
  void after() {
    RL_ASSERT(met == 2 && total(received) == 1);
    drop_all_ends();
    WithChannel::after();
  }
};

// The senders of one of two channels go while a select waits for both, beside another receiver: each is told.
struct SelectClosed : WithChannel<SelectClosed, 4, 1, 2, 1, 2> {
  void thread(unsigned index) {
    if (index < 2) {
      if (index == 0) RL_ASSERT(send(0, Deadline::never(), 0) == Status::ok);
      drop_end(Side::sender, index);
    } else if (index == 2) {
      Case cases[] = {receiving(2, 0), receiving(2, 1)};
      std::size_t chosen;
      const Status status = wait(cases, chosen);
      RL_ASSERT(status == Status::closed || (status == Status::ok && chosen == 0));
    } else {
      while (recv(3, Deadline::never(), 0) == Status::ok) {
      }
    }
  }
  void after() {
    for (unsigned i = 0; i < 2; ++i) {
      drop_end(Side::receiver, i);
      drop_end(Side::receiver, i);
    }
    WithChannel::after();
  }
};

// The interpreter of one that waits is about to end: it is told so.
template <std::uint64_t Capacity>
struct Exiting : WithChannel<Exiting<Capacity>, 3, 1, 1, Capacity> {
  void thread(unsigned index) {
    if (index == 0) {
      this->exiting.store(true, memory_order_seq_cst);  // as EndOwner::begin_exit
      this->channels[0]->nudge();
    } else if (index == 1) {
      const Status status = this->recv(1);
      RL_ASSERT(status == Status::ok || status == Status::interrupted);
    } else {
      const Status status = this->send(2);
      RL_ASSERT(status == Status::ok || status == Status::interrupted);
    }
  }
  void after() {
    this->drop_all_ends();
    Exiting::WithChannel::after();
  }
};

// What src/channel/watch.h is at a rendezvous: a receiver that nothing can be handed to. It is told to come.
class Visitor final : public Waiter {
 public:
  bool notify(WaitNode& node, Wake& wake) noexcept override { return inner_.notify(node, wake); }
  bool transfer(WaitNode&, Wake&) noexcept override { return false; }
  bool can_transfer(const WaitNode&) const noexcept override { return false; }
  bool cancel(WaitNode& node, Wake& wake) noexcept override { return inner_.cancel(node, wake); }
  bool nudge(WaitNode& node, Wake& wake) noexcept override { return inner_.nudge(node, wake); }

  // True if it was told, and so holds a token.
  bool visit(Channel& channel, bool patient) noexcept {
    WaitNode node{.waiter = this};
    if (!channel.enlist(Side::receiver, node)) inner_.park(patient ? Deadline::never() : Deadline::at(1));
    channel.delist(Side::receiver, node);
    return inner_.was_notified();
  }

 private:
  ThreadWaiter inner_;
};

// Visitors at a rendezvous: one goes away again at any moment, the other one stays and must get what a sender brings.
struct Visitors : WithChannel<Visitors, 3, 1, 2, 0> {
  void thread(unsigned index) {
    if (index == 0) RL_ASSERT(send(0) == Status::ok);
    if (index == 1) {
      Visitor visitor;
      if (visitor.visit(*channels[0], false)) channels[0]->pass_token(Side::receiver);
    }
    if (index == 2) {
      while (poll(2) != Status::ok) {
        Visitor visitor;
        visitor.visit(*channels[0], true);
      }
    }
  }
  void after() {
    drop_all_ends();
    WithChannel::after();
  }
};

}  // namespace
}  // namespace model
}  // namespace xichan

int main(int argc, char** argv) {
  using namespace xichan::model;
  return xichan::model::main(argc, argv,
                             {
                                 {"traffic_1x1", Search::random, 200'000, simulate<Traffic<1, 1, 1, 2>>},
                                 {"traffic_1x2", Search::random, 150'000, simulate<Traffic<1, 2, 2, 2>>},
                                 {"traffic_2x1", Search::random, 150'000, simulate<Traffic<2, 1, 1, 1>>},
                                 {"traffic_2x2", Search::random, 100'000, simulate<Traffic<2, 2, 1, 2>>},
                                 {"traffic_2x2_wide", Search::random, 100'000, simulate<Traffic<2, 2, 2, 2>>},
                                 {"traffic_2x2_once", Search::random, 100'000, simulate<Traffic<2, 2, 2, 1>>},
                                 {"last_sender_1x2", Search::random, 150'000, simulate<LastSender<1, 2, 1>>},
                                 {"last_sender_2x2", Search::random, 100'000, simulate<LastSender<2, 2, 2>>},
                                 {"last_receiver_1x1", Search::random, 200'000, simulate<LastReceiver<1, 1, 1>>},
                                 {"last_receiver_2x2", Search::random, 100'000, simulate<LastReceiver<2, 2, 2>>},
                                 {"shutdown_drain", Search::random, 150'000, simulate<Shutdown<false>>},
                                 {"shutdown_immediate", Search::random, 150'000, simulate<Shutdown<true>>},
                                 {"shutdown_full", Search::random, 150'000, simulate<ShutdownFull<false>>},
                                 {"shutdown_full_immediate", Search::random, 100'000, simulate<ShutdownFull<true>>},
                                 {"cancelled", Search::random, 150'000, simulate<Cancelled>},
                                 {"cancelled_and_stays", Search::random, 150'000, simulate<OneStays<false>>},
                                 {"timed_and_stays", Search::random, 150'000, simulate<OneStays<true>>},
                                 {"last_handle", Search::random, 300'000, simulate<LastHandle>},
                                 {"exiting", Search::random, 150'000, simulate<Exiting<1>>},
                                 {"rendezvous_1x1", Search::random, 150'000, simulate<Traffic<1, 1, 0, 2>>},
                                 {"rendezvous_2x2", Search::random, 100'000, simulate<Traffic<2, 2, 0, 2>>},
                                 {"rendezvous_timed", Search::random, 100'000, simulate<TimedMeeting>},
                                 {"rendezvous_one_stays", Search::random, 100'000, simulate<OneStays<true, 0>>},
                                 {"rendezvous_cancelled", Search::random, 100'000, simulate<OneStays<false, 0>>},
                                 {"rendezvous_last_sender", Search::random, 100'000, simulate<LastSender<2, 2, 0>>},
                                 {"rendezvous_last_receiver", Search::random, 100'000, simulate<LastReceiver<2, 2, 0>>},
                                 {"rendezvous_shutdown", Search::random, 100'000, simulate<Shutdown<false, 0>>},
                                 {"rendezvous_exiting", Search::random, 100'000, simulate<Exiting<0>>},
                                 {"rendezvous_visitors", Search::random, 100'000, simulate<Visitors>},
                                 {"select_2_channels", Search::random, 100'000, simulate<SelectTwo<1>>},
                                 {"select_2_rendezvous", Search::random, 100'000, simulate<SelectTwo<0>>},
                                 {"select_crossed", Search::random, 100'000, simulate<SelectCrossed<2>>},
                                 {"select_ring", Search::random, 100'000, simulate<SelectRing>},
                                 {"select_closed", Search::random, 100'000, simulate<SelectClosed>},
                             });
}
