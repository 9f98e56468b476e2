// Closing races sending and receiving: accepted = received + discarded, each message once, and no block leaks. 10,000
// races of each way to close (mpmc), 2,000 (other kinds); XICHAN_STRESS multiplies.
#include <cstdio>

#include "channel/channel_kinds.h"

namespace xichan::internal {
namespace {

using test::Caller;

constexpr unsigned senders = 2;
constexpr unsigned receivers = 2;
constexpr int plenty = 1'000'000;
constexpr int some = 20;  // enough for a channel without a bound

// The fate of the messages of one race. A message is released when its block releases its reference to this.
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
  bool blocking = false;  // calls block instead of polling
  bool bounded = false;   // the channel can be full
  bool spsc = false;      // another thread may have claimed the side

  bool is_the_end(Status status) const {
    return status == Status::closed || status == Status::end_closed || (spsc && status == Status::claimed);
  }
};

// Sends until refused or `count` messages are accepted.
void send_some(const Race& race, int count, const WaitRound& round, Lane& lane) {
  if (!race.bounded) count = std::min(count, some);
  for (int i = 0; i < count; ++i) {
    const Cell message = test::reference_message({&tally_reference, race.tally});
    Status status;
    for (test::Backoff backoff;; backoff.pause()) {
      status = race.blocking ? wait_send(*race.channel, message, round, lane) : race.channel->try_send(message, lane);
      if (status == Status::full && round.closed.load()) status = Status::end_closed;
      if (status != Status::full) break;
    }
    if (status == Status::ok) {
      ++race.tally->accepted;
      continue;
    }
    ++race.tally->refused;
    release(message);
    EXPECT_TRUE(race.is_the_end(status)) << to_string(status);
    return;
  }
}

void recv_some(const Race& race, int count, const WaitRound& round, Lane& lane) {
  for (int i = 0; i < count; ++i) {
    Cell message;
    Status status;
    for (test::Backoff backoff;; backoff.pause()) {
      status = race.blocking ? wait_recv(*race.channel, message, round, lane) : race.channel->try_recv(message, lane);
      if (status == Status::empty && round.closed.load()) status = Status::end_closed;
      if (status != Status::empty) break;
    }
    if (status != Status::ok) {
      EXPECT_TRUE(race.is_the_end(status)) << to_string(status);
      return;
    }
    ++race.tally->received;
    release(message);
  }
}

class CloseRaces : public test::ChannelTest, public ::testing::WithParamInterface<test::ChannelKind> {
 protected:
  using Work = std::function<void(const Race&, unsigned, Lane&)>;

  // In each race every thread holds one endpoint (threads 0, 1: a Sender; 2, 3: a Receiver) and drops it after `work`.
  // Then `check` checks the tally.
  void run(const Work& work, const std::function<void(const Tally&)>& check) {
    const test::Watchdog watchdog("close races", std::chrono::seconds(60 * test::stress_factor()));
    constexpr unsigned threads = senders + receivers;
    test::Meeting meeting(threads);
    Race race;
    test::together(threads, [&](unsigned thread) {
      const int races = test::rounds(GetParam().flavor == Flavor::mpmc && GetParam().max_bytes == 0 ? 10'000 : 2'000);
      for (int number = 0; number < races; ++number) {
        if (thread == 0) race = start(number);
        meeting.arrive();
        {
          test::ThreadEndpoint end(race.channel, thread < senders ? Side::sender : Side::receiver);
          work(race, thread, end.lane);
        }
        meeting.arrive();
        if (thread == 0) {
          finish(race, check);
          if (HasFailure()) ADD_FAILURE() << "in race " << number;
        }
        if (HasFailure()) return;
      }
    });
    std::printf("             %llu races, %llu messages accepted = %llu received + %llu discarded\n", races_, accepted_,
                received_, discarded_);
  }

 private:
  Race start(int number) {
    Race race;
    race.channel = GetParam().make(static_cast<std::uint64_t>(1 + number % 3));
    for (unsigned i = 1; i < senders; ++i) race.channel->add_endpoint(Side::sender);
    for (unsigned i = 1; i < receivers; ++i) race.channel->add_endpoint(Side::receiver);
    race.tally = new Tally;
    race.number = number;
    race.blocking = number % 4 != 0 || GetParam().is_rendezvous();  // two threads that poll never meet
    race.bounded = GetParam().is_bounded();
    race.spsc = GetParam().flavor == Flavor::spsc;
    return race;
  }

  void finish(const Race& race, const std::function<void(const Tally&)>& check) {
    const Tally& tally = *race.tally;
    EXPECT_EQ(tally.gone, tally.accepted + tally.refused) << "each message is released once";
    EXPECT_EQ(tally.accepted, tally.received + tally.discarded());
    check(tally);
    ++races_;
    accepted_ += static_cast<unsigned>(tally.accepted);
    received_ += static_cast<unsigned>(tally.received);
    discarded_ += static_cast<unsigned>(tally.discarded());
    EXPECT_EQ(new_blocks(), 0u);
    EXPECT_EQ(new_channels(), 0u);
    delete race.tally;
  }

  unsigned long long races_ = 0, accepted_ = 0, received_ = 0, discarded_ = 0;  // all races of a test together
};

const auto any = [](const Tally&) {};
const auto nothing_discarded = [](const Tally& tally) { EXPECT_EQ(tally.discarded(), 0); };

TEST_P(CloseRaces, LastReceiverCloses) {
  run(
      [](const Race& race, unsigned thread, Lane& lane) {
        const Caller caller;
        if (thread < senders) return send_some(race, plenty, caller.round(), lane);
        recv_some(race, static_cast<int>(thread + race.number) % 4, caller.round(), lane);
      },
      any);
}

TEST_P(CloseRaces, LastSenderCloses) {
  run(
      [](const Race& race, unsigned thread, Lane& lane) {
        const Caller caller;
        if (thread < senders) return send_some(race, static_cast<int>(thread + race.number) % 5, caller.round(), lane);
        recv_some(race, plenty, caller.round(), lane);
      },
      nothing_discarded);
}

TEST_P(CloseRaces, ShutdownDrains) {
  run(
      [](const Race& race, unsigned thread, Lane& lane) {
        const Caller caller;
        if (thread == 0) {
          send_some(race, race.number % 3, caller.round(), lane);
          return race.channel->shutdown(false);
        }
        if (thread < senders) return send_some(race, some, caller.round(), lane);
        recv_some(race, plenty, caller.round(), lane);
      },
      nothing_discarded);
}

TEST_P(CloseRaces, ImmediateShutdown) {
  run(
      [](const Race& race, unsigned thread, Lane& lane) {
        const Caller caller;
        if (thread == 0) {
          send_some(race, race.number % 3, caller.round(), lane);
          return race.channel->shutdown(true);
        }
        if (thread < senders) return send_some(race, some, caller.round(), lane);
        recv_some(race, plenty, caller.round(), lane);
      },
      any);
}

TEST_P(CloseRaces, BothShutdownsAgainstLastEndpoints) {
  run(
      [](const Race& race, unsigned thread, Lane& lane) {
        const Caller caller;
        if (thread == 0) return race.channel->shutdown(false);
        if (thread == 2) return race.channel->shutdown(true);
        if (thread < senders) return send_some(race, 3, caller.round(), lane);
        recv_some(race, 2, caller.round(), lane);
      },
      any);
}

// Stands in for an interpreter, as in endpoint_test.cpp, with one Sender and one Receiver of a channel.
struct World {
  std::mutex exclusion;
  EndpointOwner owner;
  Endpoint* ends[2];

  explicit World(Channel* channel) {
    for (const Side side : test::both_sides) {
      channel->add_endpoint(side);
      ends[static_cast<unsigned>(side)] = Endpoint::open(channel, side, owner);
    }
  }
  ~World() {
    for (Endpoint* end : ends) Endpoint::destroy(end);
  }

  template <class Call>
  void inside(Side side, Call call) {
    std::unique_lock guard(exclusion);
    Endpoint& end = *ends[static_cast<unsigned>(side)];
    if (end.is_closed()) return;
    Channel* channel = end.channel();
    end.enter();
    guard.unlock();
    call(round_of(end), *end.as_case().lane);
    channel->unpin();
    guard.lock();
    end.leave();
  }
};

// Threads 1 and 2 are inside calls of a world; thread 0 ends it or closes its handles; thread 3 receives what it can.
void race_against_world(const Race& race, unsigned thread, Lane& lane, std::unique_ptr<World>& world,
                        test::Meeting& meeting, bool owner_ends) {
  if (thread == 0) world = std::make_unique<World>(race.channel);
  meeting.arrive();
  if (thread == 0) {
    const std::lock_guard guard(world->exclusion);
    if (owner_ends) {
      world->owner.release_all();
    } else {
      for (Endpoint* end : world->ends) end->close();
    }
  } else if (thread == 1) {
    world->inside(Side::sender, [&](const WaitRound& round, Lane& own) { send_some(race, plenty, round, own); });
  } else if (thread == 2) {
    world->inside(Side::receiver, [&](const WaitRound& round, Lane& own) { recv_some(race, plenty, round, own); });
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

TEST_P(CloseRaces, OwnerEndsWithThreadsInside) {
  test::Meeting meeting(senders + receivers);
  std::unique_ptr<World> world;
  run([&](const Race& race, unsigned thread,
          Lane& lane) { race_against_world(race, thread, lane, world, meeting, true); },
      any);
}

TEST_P(CloseRaces, HandlesAreClosedWithThreadsInside) {
  test::Meeting meeting(senders + receivers);
  std::unique_ptr<World> world;
  run([&](const Race& race, unsigned thread,
          Lane& lane) { race_against_world(race, thread, lane, world, meeting, false); },
      any);
}

INSTANTIATE_TEST_SUITE_P(Kinds, CloseRaces, ::testing::ValuesIn(test::every_kind), test::KindName());

}  // namespace
}  // namespace xichan::internal
