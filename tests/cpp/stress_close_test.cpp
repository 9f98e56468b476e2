// Closing against sending and receiving, again and again: accepted = received + discarded, each message once, and the
// arena as it was. 10,000 races of each kind; XICHAN_STRESS=10 makes it 100,000.
#include "channel_support.h"

namespace xichan {
namespace {

using test::Caller;

constexpr unsigned senders = 2;
constexpr unsigned receivers = 2;
constexpr int plenty = 1'000'000;
constexpr int some = 20;

// What happened to the messages of one race. A message is gone when its block gives back its reference to this.
struct Tally {
  std::atomic<int> accepted{0};
  std::atomic<int> refused{0};
  std::atomic<int> received{0};
  std::atomic<int> gone{0};

  int discarded() const { return gone - received - refused; }
};
void count_gone(void* tally) noexcept { ++static_cast<Tally*>(tally)->gone; }
constinit const ReferenceType tally_reference{ReferenceKind::sender, count_gone};

struct Race {
  Channel* channel = nullptr;
  Tally* tally = nullptr;
  int number = 0;
  bool blocking = false;  // whether calls wait, or poll
};

// Sends until refused or `count` messages are accepted.
void send_some(const Race& race, int count, const WaitRound& round) {
  for (int i = 0; i < count; ++i) {
    const Cell message = test::reference_message({&tally_reference, race.tally});
    Status status;
    for (test::Backoff backoff;; backoff.pause()) {
      status = race.blocking ? wait_send(*race.channel, message, round) : race.channel->try_send(message, lane);
      if (status == Status::full && round.closed.load()) status = Status::end_closed;
      if (status != Status::full) break;
    }
    if (status == Status::ok) {
      ++race.tally->accepted;
      continue;
    }
    ++race.tally->refused;
    release(message);
    EXPECT_TRUE(status == Status::closed || status == Status::end_closed);
    return;
  }
}

void recv_some(const Race& race, int count, const WaitRound& round) {
  for (int i = 0; i < count; ++i) {
    Cell message;
    Status status;
    for (test::Backoff backoff;; backoff.pause()) {
      status = race.blocking ? wait_recv(*race.channel, message, round) : race.channel->try_recv(message, lane);
      if (status == Status::empty && round.closed.load()) status = Status::end_closed;
      if (status != Status::empty) break;
    }
    if (status != Status::ok) {
      EXPECT_TRUE(status == Status::closed || status == Status::end_closed);
      return;
    }
    ++race.tally->received;
    release(message);
  }
}

class CloseRaces : public test::ChannelTest {
 protected:
  // In each race every thread holds one end (threads 0, 1: a Sender; 2, 3: a Receiver) and drops it after `work`.
  // Then `check` looks at the tally.
  void run(const std::function<void(const Race&, unsigned)>& work, const std::function<void(const Tally&)>& check) {
    const test::Watchdog watchdog("close races", std::chrono::seconds(60 * test::stress_factor()));
    constexpr unsigned threads = senders + receivers;
    test::Meeting meeting(threads);
    Race race;
    test::together(threads, [&](unsigned thread) {
      for (int number = 0; number < test::rounds(10'000); ++number) {
        if (thread == 0) race = start(number);
        meeting.arrive();
        work(race, thread);
        race.channel->drop_end(thread < senders ? Side::sender : Side::receiver);
        meeting.arrive();
        if (thread == 0) {
          finish(race, check);
          if (HasFailure()) ADD_FAILURE() << "in race " << number;
        }
        if (HasFailure()) return;
      }
    });
  }

 private:
  Race start(int number) {
    Race race;
    race.channel = test::new_channel(static_cast<std::uint64_t>(1 + number % 3));
    for (unsigned i = 1; i < senders; ++i) race.channel->add_end(Side::sender);
    for (unsigned i = 1; i < receivers; ++i) race.channel->add_end(Side::receiver);
    race.tally = new Tally;
    race.number = number;
    race.blocking = number % 4 != 0;
    return race;
  }

  void finish(const Race& race, const std::function<void(const Tally&)>& check) {
    const Tally& tally = *race.tally;
    EXPECT_EQ(tally.gone, tally.accepted + tally.refused) << "each message is released once";
    EXPECT_EQ(tally.accepted, tally.received + tally.discarded());
    check(tally);
    EXPECT_EQ(new_blocks(), 0u);
    EXPECT_EQ(new_channels(), 0u);
    delete race.tally;
  }
};

const auto any = [](const Tally&) {};
const auto nothing_discarded = [](const Tally& tally) { EXPECT_EQ(tally.discarded(), 0); };

TEST_F(CloseRaces, TheLastReceiverGoes) {
  run(
      [](const Race& race, unsigned thread) {
        const Caller caller;
        if (thread < senders) return send_some(race, plenty, caller.round());
        recv_some(race, static_cast<int>(thread + race.number) % 4, caller.round());
      },
      any);
}

TEST_F(CloseRaces, TheLastSenderGoes) {
  run(
      [](const Race& race, unsigned thread) {
        const Caller caller;
        if (thread < senders) return send_some(race, static_cast<int>(thread + race.number) % 5, caller.round());
        recv_some(race, plenty, caller.round());
      },
      nothing_discarded);
}

TEST_F(CloseRaces, ShutdownThatDrains) {
  run(
      [](const Race& race, unsigned thread) {
        const Caller caller;
        if (thread == 0) {
          send_some(race, race.number % 3, caller.round());
          return race.channel->shutdown(false);
        }
        if (thread < senders) return send_some(race, some, caller.round());
        recv_some(race, plenty, caller.round());
      },
      nothing_discarded);
}

TEST_F(CloseRaces, ShutdownAtOnce) {
  run(
      [](const Race& race, unsigned thread) {
        const Caller caller;
        if (thread == 0) {
          send_some(race, race.number % 3, caller.round());
          return race.channel->shutdown(true);
        }
        if (thread < senders) return send_some(race, some, caller.round());
        recv_some(race, plenty, caller.round());
      },
      any);
}

TEST_F(CloseRaces, ShutdownBothWaysAgainstTheLastEnds) {
  run(
      [](const Race& race, unsigned thread) {
        const Caller caller;
        if (thread == 0) return race.channel->shutdown(false);
        if (thread == 2) return race.channel->shutdown(true);
        if (thread < senders) return send_some(race, 3, caller.round());
        recv_some(race, 2, caller.round());
      },
      any);
}

// An interpreter, as in channel_end_test.cpp, with one Sender and one Receiver of a channel.
struct World {
  std::mutex exclusion;
  EndOwner owner;
  End* ends[2];

  explicit World(Channel* channel) {
    for (const Side side : test::both_sides) {
      channel->add_end(side);
      ends[static_cast<unsigned>(side)] = End::open(channel, side, owner);
    }
  }
  ~World() {
    for (End* end : ends) End::destroy(end);
  }

  template <class Work>
  void inside(Side side, Work work) {
    std::unique_lock guard(exclusion);
    End& end = *ends[static_cast<unsigned>(side)];
    if (end.is_closed()) return;
    Channel* channel = end.channel();
    end.enter();
    guard.unlock();
    work(round_of(end));
    channel->unpin();
    guard.lock();
    end.leave();
  }
};

// Threads 1 and 2 are inside calls of a world; thread 0 ends it, or closes its handles; thread 3 takes what it can.
void race_against_world(const Race& race, unsigned thread, std::unique_ptr<World>& world, test::Meeting& meeting,
                        bool owner_ends) {
  if (thread == 0) world = std::make_unique<World>(race.channel);
  meeting.arrive();
  if (thread == 0) {
    const std::lock_guard guard(world->exclusion);
    if (owner_ends) {
      world->owner.give_back_all();
    } else {
      for (End* end : world->ends) end->close();
    }
  } else if (thread == 1) {
    world->inside(Side::sender, [&](const WaitRound& round) { send_some(race, plenty, round); });
  } else if (thread == 2) {
    world->inside(Side::receiver, [&](const WaitRound& round) { recv_some(race, plenty, round); });
  } else {
    Cell message;
    for (int i = race.number % 5; i > 0; --i) {
      if (race.channel->try_recv(message, lane) != Status::ok) continue;
      ++race.tally->received;
      release(message);
    }
  }
  meeting.arrive();
  if (thread == 0) world.reset();
}

TEST_F(CloseRaces, AnOwnerEndsWithThreadsInside) {
  test::Meeting meeting(senders + receivers);
  std::unique_ptr<World> world;
  run([&](const Race& race, unsigned thread) { race_against_world(race, thread, world, meeting, true); }, any);
}

TEST_F(CloseRaces, HandlesAreClosedWithThreadsInside) {
  test::Meeting meeting(senders + receivers);
  std::unique_ptr<World> world;
  run([&](const Race& race, unsigned thread) { race_against_world(race, thread, world, meeting, false); }, any);
}

}  // namespace
}  // namespace xichan
