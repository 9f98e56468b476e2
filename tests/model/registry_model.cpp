// Models of the registry (src/directory/registry.cpp) over real channels: ids that are used while their channels are
// destroyed, and slots that are reused. An id finds its own live channel or none. No thread touches a destroyed
// channel; each is destroyed once and leaves nothing behind.
#include "channel_under_model.h"

namespace xichan::internal {
namespace {

// For ./mutate.py, in place of the registry's lock: a lock that excludes no other thread.
[[maybe_unused]] Mutex& private_lock() noexcept;

}  // namespace
}  // namespace xichan::internal

#include "directory/registry.cpp"

namespace xichan::internal {
namespace model {
namespace {

Mutex* private_locks;

// The table is created once per process; here each schedule is a process.
void make_table() noexcept {
  static bool made = false;
  if (made) new (&table()) Table;
  table();
  made = true;
}

// Some channels in the registry, each with one endpoint per side.
template <class Derived, unsigned Threads, unsigned Channels>
struct Registered : WithChannel<Derived, Threads, 1, 1, 2, Channels> {
  Mutex unneeded[Threads];
  ChannelId ids[Channels];

  void begin() {
    make_table();
    private_locks = unneeded;
    Registered::WithChannel::begin();
    for (unsigned i = 0; i < Channels; ++i) ids[i] = this->channels[i]->id();
  }
  void after() {
    Registered::WithChannel::after();
    for (const ChannelId& id : ids) RL_ASSERT(!finds(id));
    check_table();
    table().~Table();
  }
  // Each slot is in use or in the free list. A thread that holds the lock sees this at any time.
  void check_table() {
    std::uint64_t used = 0;
    for (const Slot& slot : table().slots) used += slot.channel != nullptr;
    RL_ASSERT(used == XICHAN_PLAIN(table().alive));
    for (std::uint64_t i = table().first_free; i != no_slot; i = table().slots[i].next_free) {
      RL_ASSERT(table().slots[i].channel == nullptr);
      RL_ASSERT(++used <= table().slots.size());
    }
    RL_ASSERT(used == table().slots.size());
  }

  static bool finds(const ChannelId& id) {
    Channel* channel = Registry::open(id, Side::sender);
    if (channel != nullptr) channel->drop_endpoint(Side::sender);
    return channel != nullptr;
  }
  // Opens an endpoint by the id, makes one call and drops the endpoint. The channel must be the one that had the id
  // first.
  bool call(unsigned thread, const ChannelId& id, Side side, unsigned channel = 0) {
    Channel* opened = Registry::open(id, side);
    if (opened == nullptr) return false;
    RL_ASSERT(opened->id() == id && opened == this->channels[channel]);
    Case only = side == Side::sender ? this->sending(thread) : this->receiving(thread);
    only.channel = opened;
    const Status status = this->attempt(only);
    RL_ASSERT(status == Status::ok || status == Status::closed || (side == Side::receiver && status == Status::empty));
    opened->drop_endpoint(side);
    return true;
  }
  void drop_both(unsigned channel) {
    this->drop_endpoint(Side::sender, channel);
    this->drop_endpoint(Side::receiver, channel);
  }
  // A channel that comes and goes. Its id is none that was there before, however its secret turned out.
  void make_another() {
    Channel* fresh;
    RL_ASSERT(create_channel({.flavor = Flavor::mpmc, .capacity = 1}, fresh) == Status::ok);
    const ChannelId id = fresh->id();
    for (const ChannelId& other : ids) RL_ASSERT(id.place != other.place);
    Channel* opened = Registry::open(id, Side::receiver);
    RL_ASSERT(opened == fresh);
    opened->drop_endpoint(Side::receiver);
    fresh->drop_endpoint(Side::receiver);
    RL_ASSERT(Registry::open(id, Side::receiver) == nullptr);  // that side is finished
    fresh->drop_endpoint(Side::sender);
    RL_ASSERT(!finds(id));
  }
};

// The last endpoints are dropped while other threads open new ones.
struct Opened : Registered<Opened, 3, 1> {
  void thread(unsigned index) {
    if (index == 0) drop_both(0);
    if (index == 1) call(1, ids[0], Side::sender);
    if (index == 2 && call(2, ids[0], Side::receiver)) call(2, ids[0], Side::receiver);
  }
};

// The same, and the slot is reused: a late caller with the old id does not find the new channel.
struct Replaced : Registered<Replaced, 3, 1> {
  void thread(unsigned index) {
    if (index == 0) {
      drop_both(0);
      make_another();
    }
    if (index == 1) call(1, ids[0], Side::sender);
    if (index == 2) call(2, ids[0], Side::receiver);
  }
};

// A guessed id finds no channel; a valid one finds its channel, whatever happens to other slots.
struct Guessed : Registered<Guessed, 3, 2> {
  void thread(unsigned index) {
    if (index == 0) drop_both(0);
    if (index == 1) make_another();
    if (index == 2) {
      const auto [place, secret] = ids[1];
      RL_ASSERT(!finds({place, secret + 1}));
      RL_ASSERT(!finds({place + (std::uint64_t{1} << ChannelId::slot_bits), secret}));
      RL_ASSERT(!finds({place + 9, secret}));
      RL_ASSERT(call(2, ids[1], Side::sender, 1));
    }
  }
};

// Iterates over all channels while one is destroyed and another one created: each is visited at most once, and a
// channel that stays is visited.
struct Walked : Registered<Walked, 3, 2> {
  void thread(unsigned index) {
    if (index == 0) drop_both(0);
    if (index == 1) make_another();
    if (index == 2) {
      bool met = false;
      std::uint64_t last = 0;
      std::uint64_t place = 0;
      while (Channel* channel = Registry::next(place)) {
        RL_ASSERT(place > last && channel->id().slot() == place - 1);
        last = place;
        channel->nudge();
        if (channel == channels[1]) met = true;
        channel->unpin();
      }
      RL_ASSERT(met);
    }
  }
};

// Two threads iterate, and either may hold the last pin.
struct WalkedByTwo : Registered<WalkedByTwo, 3, 1> {
  void thread(unsigned index) {
    if (index == 0) return drop_both(0);
    std::uint64_t place = 0;
    while (Channel* channel = Registry::next(place)) channel->unpin();
  }
};

// The process exits: a waiting call is interrupted while other channels are destroyed and created.
struct Nudged : Registered<Nudged, 4, 2> {
  void thread(unsigned index) {
    if (index == 0) {
      exiting.store(true, memory_order_seq_cst);  // as Process::begin_exit
      Registry::nudge_all();
    }
    if (index == 1) {
      const Status status = recv(1, Deadline::never(), 1);
      RL_ASSERT(status == Status::interrupted);
    }
    if (index == 2) drop_both(0);
    if (index == 3) make_another();
  }
};

// A thread forks: the child's table is consistent, and the parent's stays in use.
struct Forked : Registered<Forked, 4, 2> {
  void thread(unsigned index) {
    if (index == 0) {
      const std::uint64_t alive = Registry::size();
      RL_ASSERT(alive >= 1 && alive <= 3);
      Registry::lock_for_fork();
      check_table();
      Registry::unlock_after_fork(false);
    }
    if (index == 1) drop_both(0);
    if (index == 2) make_another();
    if (index == 3) RL_ASSERT(call(3, ids[1], Side::receiver, 1));
  }
};

}  // namespace
}  // namespace model

namespace {

Mutex& private_lock() noexcept { return model::private_locks[rl::thread_index()]; }

}  // namespace
}  // namespace xichan::internal

int main(int argc, char** argv) {
  using namespace xichan::internal::model;
  return xichan::internal::model::main(argc, argv,
                                       {
                                           {"opened", random_search<Opened>, 200'000},
                                           {"replaced", random_search<Replaced>, 200'000},
                                           {"guessed", random_search<Guessed>, 100'000},
                                           {"walked", random_search<Walked>, 150'000},
                                           {"walked_by_two", random_search<WalkedByTwo>, 150'000},
                                           {"nudged", random_search<Nudged>, 100'000},
                                           {"forked", random_search<Forked>, 100'000},
                                       });
}
