// Models of the channel: src/channel/channel.cpp and waiting.cpp, src/sync/wait_list.cpp and parker.cpp as they are, over
// a futex, a registry and messages made for the purpose. A lost wake-up shows as a deadlock, a lost or doubled message or
// a channel freed too early or never as a failed assertion.
#include "model.h"

#include "channel/channel.cpp"
#include "channel/registry.h"
#include "channel/waiting.cpp"
#include "sync/parker.cpp"
#include "sync/wait_list.cpp"

namespace xichan {
namespace model {
namespace {

// What stands around the channel in one schedule.
struct World {
  static constexpr unsigned threads = 5;

  struct Sleeper {
    const void* word = nullptr;
    rl::generic_event bell;
  };

  Sleeper sleepers[threads];
  rl::var<int> memory;  // stands for the channel's: read by all who use it, written when it is freed
  int channels = 0;
  int given_back = 0;
};
World* world;

}  // namespace
}  // namespace model

// The futex: compare and sleep is one step, and so are finding a sleeper and waking it, as in the kernel. A sleep with a
// deadline may end by it at any time.
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

bool Registry::add(Channel&, ChannelId& id) noexcept {
  id = {1, 1};
  ++model::world->channels;
  model::world->memory($) = 1;
  return true;
}
void Registry::remove(const ChannelId&) noexcept {
  --model::world->channels;
  model::world->memory($) = 0;
}
void release(const Cell&) noexcept { ++model::world->given_back; }

namespace model {
namespace {

// A channel with some ends. Each thread makes calls on behalf of an end of its own, and may drop it.
template <class Derived, unsigned Threads, unsigned Senders, unsigned Receivers, std::uint64_t Capacity>
struct WithChannel : Model<Derived, Threads> {
  World surroundings;
  Channel* channel;
  atomic<bool> closed[Threads];
  int accepted = 0;
  int received = 0;

  void begin() {
    world = &surroundings;
    for (World::Sleeper& sleeper : surroundings.sleepers) sleeper.bell.init(false, false, $);
    for (auto& flag : closed) flag.store(false, memory_order_relaxed);
    RL_ASSERT(Channel::create(Capacity, channel) == Status::ok);
    for (unsigned i = 1; i < Senders; ++i) channel->add_end(Side::sender);
    for (unsigned i = 1; i < Receivers; ++i) channel->add_end(Side::receiver);
  }
  void after() {
    RL_ASSERT(accepted == received + surroundings.given_back);
    RL_ASSERT(surroundings.channels == 0);
    for (World::Sleeper& sleeper : surroundings.sleepers) sleeper.bell.deinit($);
  }

  WaitRound round(unsigned thread, Deadline deadline = Deadline::never()) {
    return {deadline, Deadline::never(), closed[thread], &closed[thread]};
  }
  Status send(unsigned thread, Deadline deadline = Deadline::never()) {
    const Status status = channel->send(Cell(thread + 1), round(thread, deadline));
    accepted += status == Status::ok;
    return status;
  }
  Status recv(unsigned thread, Deadline deadline = Deadline::never()) {
    Cell cell;
    const Status status = channel->recv(cell, round(thread, deadline));
    if (status == Status::ok) RL_ASSERT(cell.word != 0);
    received += status == Status::ok;
    return status;
  }
  // Takes what is there, without waiting.
  void poll() {
    Cell cell;
    received += channel->try_recv(cell) == Status::ok;
  }
  void use() { RL_ASSERT(surroundings.memory($) == 1); }
  void drop_end(Side side) {
    use();
    channel->drop_end(side);
  }
  void unpin() {
    use();
    channel->unpin();
  }
  // As End::close does it with a call inside.
  void cancel(unsigned thread, Side side) {
    closed[thread].store(true, memory_order_seq_cst);
    channel->cancel_calls(side, &closed[thread]);
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
struct LastSender : WithChannel<LastSender<Senders, Receivers, Capacity>, Senders + Receivers, Senders, Receivers, Capacity> {
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
    RL_ASSERT(this->received == static_cast<int>(Senders));
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
      if (index == Senders) this->poll();
      this->drop_end(Side::receiver);
    }
  }
};

// One thread shuts the channel down, another is in the middle of a send, two wait to receive.
template <bool Immediate>
struct Shutdown : WithChannel<Shutdown<Immediate>, 4, 2, 2, 1> {
  void thread(unsigned index) {
    if (index == 0) this->channel->shutdown(Immediate);
    if (index == 1) this->send(index);
    if (index >= 2) {
      while (this->recv(index) == Status::ok) {
      }
    }
    this->drop_end(index < 2 ? Side::sender : Side::receiver);
  }
};

// Senders wait for room that never comes, until the channel is shut down.
template <bool Immediate>
struct ShutdownFull : WithChannel<ShutdownFull<Immediate>, 3, 3, 1, 1> {
  void thread(unsigned index) {
    if (index == 0) this->channel->shutdown(Immediate);
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
template <bool Timed>
struct OneStays : WithChannel<OneStays<Timed>, 3, 2, 2, 1> {
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
    channel->pin();
    channel->pin();
    accepted += channel->try_send(Cell(9)) == Status::ok;
  }
  void thread(unsigned index) {
    if (index == 0) drop_end(Side::sender);
    if (index == 1) drop_end(Side::receiver);
    if (index == 2) {
      poll();
      unpin();
    }
    if (index == 3) {
      if (channel->try_add_end(Side::receiver)) drop_end(Side::receiver);
      unpin();
    }
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
                             });
}
