// Waiting without a thread (event loops), and the descriptors by which other loops watch an endpoint.
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <future>

#include <utility>

#include "channel/channel_support.h"
#include "directory/create_channel.h"
#include "endpoint/readiness.h"
#include "endpoint/watch.h"
#include "sync/thread_waiter.h"

namespace {

std::function<void()> before_write;  // called before each write to an eventfd

}  // namespace

// In place of the function of the C library.
extern "C" [[gnu::visibility("default")]] int eventfd_write(int descriptor, eventfd_t value) {
  if (before_write) before_write();
  return write(descriptor, &value, sizeof value) == sizeof value ? 0 : -1;
}

namespace xichan::internal {
namespace {

using test::Caller;
using test::new_channel;

bool is_readable(int descriptor, int patience_ms = 0) {
  pollfd watched{.fd = descriptor, .events = POLLIN, .revents = 0};
  return poll(&watched, 1, patience_ms) == 1;
}

class Watches : public test::ChannelTest {
 protected:
  void SetUp() override {
    notifier = Notifier::create();
    ASSERT_NE(notifier, nullptr);
    open_ends(new_channel(1));
  }
  void TearDown() override {
    close_ends();
    notifier->release();
    ChannelTest::TearDown();
  }

  void open_ends(Channel* made) {
    channel = made;
    for (const Side side : test::both_sides) ends[static_cast<unsigned>(side)] = Endpoint::open(channel, side, owner);
  }
  void close_ends() {
    for (Endpoint*& end : ends) {
      if (end != nullptr) Endpoint::destroy(end);
      end = nullptr;
    }
  }
  Endpoint* end(Side side) { return ends[static_cast<unsigned>(side)]; }

  Watch* open(std::uint64_t key, Side side, bool& ready, const Cell& offer = {}) {
    auto* cases = new WatchCase[1];
    cases[0].endpoint = end(side);
    cases[0].offer = offer;
    cases[0].cost = 0;
    return Watch::open(*notifier, owner, key, cases, 1, ready);
  }
  std::vector<std::uint64_t> collect() {
    std::vector<std::uint64_t> keys;
    notifier->collect([&](std::uint64_t key) {
      keys.push_back(key);
      return true;
    });
    return keys;
  }

  Notifier* notifier = nullptr;
  Channel* channel = nullptr;
  EndpointOwner owner;
  Endpoint* ends[2];
  Caller caller;
};

TEST_F(Watches, NotifiesOnceWhenMessageArrives) {
  bool ready = true;
  Watch* watch = open(17, Side::receiver, ready);
  EXPECT_FALSE(ready);
  EXPECT_EQ(channel->waiting(Side::receiver), 1u);
  EXPECT_FALSE(is_readable(notifier->descriptor()));
  EXPECT_EQ(channel->try_send(Cell::integer(1), lane), Status::ok);
  EXPECT_TRUE(is_readable(notifier->descriptor()));
  EXPECT_EQ(collect(), std::vector<std::uint64_t>{17});
  EXPECT_FALSE(is_readable(notifier->descriptor()));
  EXPECT_EQ(collect(), std::vector<std::uint64_t>{});
  std::size_t number;
  EXPECT_EQ(watch->close(number), Outcome::notified);
  Cell cell;
  EXPECT_EQ(end(Side::receiver)->try_recv(cell), Status::ok) << "it has taken nothing itself";
  Watch::destroy(watch, true);
}

TEST_F(Watches, IsReadyAtOnce) {
  ASSERT_EQ(channel->try_send(Cell::integer(1), lane), Status::ok);
  bool ready = false;
  Watch* watch = open(1, Side::receiver, ready);
  EXPECT_TRUE(ready);
  Watch::destroy(watch, false);
  channel->shutdown(false);
  watch = open(1, Side::sender, ready);
  EXPECT_TRUE(ready) << "a closed channel is ready to say so";
  Watch::destroy(watch, false);
}

TEST_F(Watches, CollectsInOrderOfDecisions) {
  bool ready;
  Watch* watches[5];
  for (std::uint64_t i = 0; i < 5; ++i) watches[i] = open(i, Side::receiver, ready);
  channel->shutdown(false);
  EXPECT_EQ(collect(), (std::vector<std::uint64_t>{0, 1, 2, 3, 4}));
  for (Watch* watch : watches) Watch::destroy(watch, false);
}

// `take` rejects a key: it stays decided, and the descriptor stays readable.
TEST_F(Watches, RejectedKeyStaysDecided) {
  bool ready;
  Watch* watches[3];
  for (std::uint64_t i = 0; i < 3; ++i) watches[i] = open(i, Side::receiver, ready);
  channel->shutdown(false);
  std::vector<std::uint64_t> keys;
  EXPECT_FALSE(notifier->collect([&](std::uint64_t key) {
    if (keys.size() == 1) return false;
    keys.push_back(key);
    return true;
  }));
  EXPECT_EQ(keys, std::vector<std::uint64_t>{0});
  EXPECT_TRUE(is_readable(notifier->descriptor()));
  // A decided watch is destroyed while another one is being taken, as a garbage collector may do.
  Watch::destroy(watches[1], false);
  keys.clear();
  EXPECT_TRUE(notifier->collect([&](std::uint64_t key) {
    if (watches[2] != nullptr) Watch::destroy(std::exchange(watches[2], nullptr), false);
    keys.push_back(key);
    return true;
  }));
  EXPECT_EQ(keys, std::vector<std::uint64_t>{2});
  Watch::destroy(watches[0], false);
}

TEST_F(Watches, UnusedTokenIsPassedOn) {
  const test::Watchdog watchdog("a token of a watch");
  for (const bool used : {false, true}) {
    bool ready;
    Watch* watch = open(3, Side::receiver, ready);
    std::thread next([&] {
      Cell cell;
      EXPECT_EQ(wait_recv(*channel, cell, caller.round()), Status::ok);
    });
    test::await([&] { return channel->waiting(Side::receiver) == 2; });
    EXPECT_EQ(channel->try_send(Cell::none(), lane), Status::ok);
    EXPECT_EQ(collect().size(), 1u) << "the watch came first";
    EXPECT_EQ(channel->waiting(Side::receiver), 1u);
    if (used) {
      std::size_t number;
      watch->close(number);
      Cell cell;
      EXPECT_EQ(channel->try_recv(cell, lane), Status::ok);
      Watch::destroy(watch, true);
      EXPECT_EQ(channel->try_send(Cell::none(), lane), Status::ok);
    } else {
      Watch::destroy(watch, false);  // as if cancelled
    }
    next.join();
    EXPECT_EQ(channel->size(), 0u);
  }
}

TEST_F(Watches, ClosingEndpointDecidesWatch) {
  bool ready;
  Watch* watch = open(4, Side::receiver, ready);
  end(Side::receiver)->close();
  EXPECT_EQ(collect(), std::vector<std::uint64_t>{4});
  EXPECT_EQ(channel->endpoint_count(Side::receiver), 1u) << "the watch is a call inside";
  std::size_t number;
  EXPECT_EQ(watch->close(number), Outcome::cancelled);
  Watch::destroy(watch, false);
  EXPECT_EQ(channel->endpoint_count(Side::receiver), 0u);
}

TEST_F(Watches, EndingOwnerAbandonsItsWatches) {
  bool ready;
  Watch* watch = open(5, Side::receiver, ready);
  Watch* decided = open(6, Side::receiver, ready);
  ASSERT_EQ(channel->try_send(Cell::none(), lane), Status::ok);
  channel->pin();
  owner.release_all();
  EXPECT_EQ(channel->waiting(Side::receiver), 0u);
  EXPECT_EQ(channel->endpoint_count(Side::receiver), 0u);
  EXPECT_EQ(channel->endpoint_count(Side::sender), 0u);
  channel->unpin();
  Watch::destroy(watch, false);  // as the interpreter's remaining objects do
  Watch::destroy(decided, false);
}

TEST_F(Watches, WaitingRendezvousOfferIsTransferred) {
  close_ends();
  Channel* meeting = nullptr;
  ASSERT_EQ(create_channel({.flavor = Flavor::rendezvous, .capacity = 0}, meeting), Status::ok);
  open_ends(meeting);
  for (const bool taken : {true, false}) {
    bool ready = true;
    Watch* watch = open(7, Side::sender, ready, test::block_message());
    EXPECT_FALSE(ready);
    Cell cell;
    if (taken) {
      EXPECT_EQ(channel->try_recv(cell, lane), Status::ok);
      EXPECT_EQ(collect(), std::vector<std::uint64_t>{7});
    }
    std::size_t number = 9;
    EXPECT_EQ(watch->close(number), taken ? Outcome::transferred : Outcome::waiting);
    EXPECT_EQ(number, 0u);
    Watch::destroy(watch, false);
    release(cell);
    EXPECT_EQ(new_blocks(), 0u);
  }
  EXPECT_EQ(channel->sent(), 1u);
}

TEST_F(Watches, TwoCoroutinesMeetAtRendezvous) {
  close_ends();
  Channel* meeting = nullptr;
  ASSERT_EQ(create_channel({.flavor = Flavor::rendezvous, .capacity = 0}, meeting), Status::ok);
  open_ends(meeting);
  bool ready;
  Watch* receiver = open(1, Side::receiver, ready);
  EXPECT_FALSE(ready);
  Watch* sender = open(2, Side::sender, ready, Cell::integer(8));
  EXPECT_FALSE(ready);
  EXPECT_EQ(collect(), std::vector<std::uint64_t>{1}) << "the receiver is notified, to take it";
  std::size_t number;
  EXPECT_EQ(receiver->close(number), Outcome::notified);
  Cell cell;
  EXPECT_EQ(channel->try_recv(cell, lane), Status::ok);
  EXPECT_EQ(cell.as_integer(), 8);
  Watch::destroy(receiver, true);
  EXPECT_EQ(sender->close(number), Outcome::transferred);
  Watch::destroy(sender, true);
}

// Peers decide watches while those are closed and destroyed, and while their loop's notifier is released.
TEST_F(Watches, CloseRacingDecisionLosesNoToken) {
  const test::Watchdog watchdog("watches come and go");
  std::atomic<bool> done{false};
  std::atomic<int> sent{0};
  int received = 0;
  test::together(2, [&](unsigned thread) {
    Cell cell;
    if (thread == 0) {
      while (!done.load()) {
        if (channel->try_send(Cell::none(), lane) == Status::ok) {
          ++sent;
        } else {
          std::this_thread::yield();
        }
      }
      return;
    }
    for (int i = 0; i < test::rounds(20'000); ++i) {
      if (i % 64 == 0) {  // a new event loop
        notifier->release();
        notifier = Notifier::create();
        ASSERT_NE(notifier, nullptr);
      }
      bool ready;
      Watch* watch = open(static_cast<std::uint64_t>(i), Side::receiver, ready);
      if (i % 3 == 0) (void)collect();
      std::size_t number;
      if (i % 2) watch->close(number);
      const bool used = end(Side::receiver)->try_recv(cell) == Status::ok;
      received += used;
      Watch::destroy(watch, used);
    }
    done.store(true);
  });
  Cell cell;
  while (channel->try_recv(cell, lane) == Status::ok) ++received;
  EXPECT_EQ(received, sent.load());
}

// An event loop that sleeps only on the descriptor, and misses no wake-up.
TEST_F(Watches, LoopReceivesAllMessages) {
  const test::Watchdog watchdog("an event loop");
  const int items = test::rounds(20'000);
  test::together(2, [&](unsigned thread) {
    if (thread == 0) {
      for (int i = 0; i < items; ++i) ASSERT_EQ(wait_send(*channel, Cell::integer(i), caller.round()), Status::ok);
      return;
    }
    for (int i = 0; i < items;) {
      Cell cell;
      if (end(Side::receiver)->try_recv(cell) == Status::ok) {
        ASSERT_EQ(cell.as_integer(), i++);
        continue;
      }
      bool ready;
      Watch* watch = open(1, Side::receiver, ready);
      while (!ready && collect().empty()) ASSERT_TRUE(is_readable(notifier->descriptor(), 50'000)) << "a lost wake-up";
      std::size_t number;
      watch->close(number);
      const Status status = end(Side::receiver)->try_recv(cell);
      if (status == Status::ok) {
        ASSERT_EQ(cell.as_integer(), i++);
      }
      Watch::destroy(watch, true);
    }
  });
}

TEST_F(Watches, DescriptorIsReadableWhenChannelMayBeReady) {
  Endpoint* receiver = end(Side::receiver);
  const int descriptor = receiver->descriptor();
  ASSERT_GE(descriptor, 0);
  EXPECT_EQ(receiver->descriptor(), descriptor);
  EXPECT_FALSE(is_readable(descriptor));
  for (int i = 0; i < 3; ++i) {
    Cell cell;
    EXPECT_EQ(receiver->try_recv(cell), Status::empty);
    EXPECT_FALSE(receiver->arm());
    EXPECT_FALSE(is_readable(descriptor));
    EXPECT_EQ(channel->try_send(Cell::integer(i), lane), Status::ok);
    EXPECT_TRUE(is_readable(descriptor));
    EXPECT_TRUE(receiver->arm()) << "something is there";
    EXPECT_EQ(receiver->try_recv(cell), Status::ok);
  }
  receiver->close();
  EXPECT_EQ(fcntl(descriptor, F_GETFD), -1) << "it belongs to its end";
}

TEST_F(Watches, DescriptorTakesNoToken) {
  const test::Watchdog watchdog("a descriptor beside a receiver");
  const int descriptor = end(Side::receiver)->descriptor();
  for (int i = 0; i < test::rounds(200); ++i) {
    (void)end(Side::receiver)->arm();
    std::thread waiting([&] {
      Cell cell;
      EXPECT_EQ(wait_recv(*channel, cell, caller.round()), Status::ok);
    });
    test::await([&] { return channel->waiting(Side::receiver) == 2; });
    EXPECT_EQ(channel->try_send(Cell::none(), lane), Status::ok);
    EXPECT_TRUE(is_readable(descriptor));
    waiting.join();
  }
}

TEST_F(Watches, ClosingDescriptorRacesPeersSafely) {
  const test::Watchdog watchdog("descriptors come and go");
  std::atomic<bool> done{false};
  test::together(2, [&](unsigned thread) {
    if (thread == 0) {
      Cell cell;
      while (!done.load()) {
        (void)channel->try_send(Cell::none(), lane);
        (void)channel->try_recv(cell, lane);
      }
      return;
    }
    for (int i = 0; i < test::rounds(5'000); ++i) {
      channel->add_endpoint(Side::receiver);
      Endpoint* brief = Endpoint::open(channel, Side::receiver, owner);
      ASSERT_GE(brief->descriptor(), 0);
      (void)brief->arm();
      Endpoint::destroy(brief);
    }
    done.store(true);
  });
  Cell cell;
  (void)channel->try_recv(cell, lane);
}

// While a waker is inside the system call, other threads can join and leave both lists.
class SystemCalls : public Watches {
 protected:
  void SetUp() override {
    Watches::SetUp();
    before_write = [this] {
      ++writes;
      auto joined = std::async(std::launch::async, [this] {
        Waiter* const waiter = &bystander;
        for (const Side side : test::both_sides) {
          WaitNode node{.waiter = waiter};
          channel->enlist(side, node);
          channel->delist(side, node);
        }
      });
      lock_was_free = lock_was_free && joined.wait_for(std::chrono::seconds(5)) == std::future_status::ready;
      if (!lock_was_free) pending.push_back(std::move(joined));  // its destructor would wait under the lock
    };
  }
  void TearDown() override {
    before_write = nullptr;
    EXPECT_TRUE(lock_was_free) << "a system call was made under the lock of the wait lists";
    pending.clear();
    Watches::TearDown();
  }

  ThreadWaiter bystander;
  int writes = 0;
  bool lock_was_free = true;
  std::vector<std::future<void>> pending;
};

TEST_F(SystemCalls, DescriptorIsWrittenOutsideLock) {
  const test::Watchdog watchdog("a system call under a lock");
  constexpr int armed = 40;
  Endpoint* more[armed];
  for (Endpoint*& endpoint : more) {
    channel->add_endpoint(Side::receiver);
    endpoint = Endpoint::open(channel, Side::receiver, owner);
    ASSERT_GE(endpoint->descriptor(), 0);
  }
  EXPECT_EQ(channel->try_send(Cell::none(), lane), Status::ok);
  EXPECT_EQ(writes, armed);
  for (Endpoint* endpoint : more) {
    EXPECT_TRUE(is_readable(endpoint->descriptor()));
    Endpoint::destroy(endpoint);
  }
}

TEST_F(SystemCalls, NotifierIsSignalledOutsideLock) {
  const test::Watchdog watchdog("a system call under a lock");
  bool ready;
  Watch* watches[3];
  for (std::uint64_t i = 0; i < 3; ++i) watches[i] = open(i, Side::receiver, ready);
  EXPECT_EQ(channel->try_send(Cell::none(), lane), Status::ok);
  EXPECT_EQ(writes, 1);
  owner.begin_exit();
  EXPECT_EQ(writes, 3);
  for (Watch* watch : watches) Watch::destroy(watch, true);
}

// The endpoint of a descriptor is closed while a waker is about to write to it: its number is not reused meanwhile.
TEST_F(Watches, DescriptorNumberIsNotReusedBeforeWrite) {
  const int number = end(Side::receiver)->descriptor();
  before_write = [&] {
    before_write = nullptr;
    close_ends();
    EXPECT_GE(fcntl(number, F_GETFD), 0) << "the waker is about to write";
  };
  channel->add_endpoint(Side::sender);
  EXPECT_EQ(channel->try_send(Cell::none(), lane), Status::ok);
  EXPECT_EQ(fcntl(number, F_GETFD), -1) << "closed by the waker";
  channel->drop_endpoint(Side::sender);
}

// W5: a descriptor leaves the list only with a report.
TEST_F(Watches, DescriptorReportsEveryReasonToLeaveTheList) {
  Endpoint& receiver = *end(Side::receiver);
  const int number = receiver.descriptor();
  const auto arm = [&] {
    ASSERT_FALSE(receiver.arm());
    ASSERT_FALSE(is_readable(number));
    ASSERT_EQ(channel->waiting(Side::receiver), 1u);
  };
  arm();
  owner.begin_exit();
  EXPECT_TRUE(is_readable(number));
  arm();
  channel->nudge();
  EXPECT_TRUE(is_readable(number));
  arm();
  channel->cancel_calls(Side::receiver, &receiver);
  EXPECT_TRUE(is_readable(number));
  arm();
  EXPECT_EQ(channel->try_send(Cell::none(), lane), Status::ok);
  EXPECT_TRUE(is_readable(number));
  EXPECT_EQ(channel->waiting(Side::receiver), 0u);
}

TEST_F(Watches, EndingOwnerWakesNoWaitOfAnother) {
  const test::Watchdog watchdog("waits of another owner");
  EndpointOwner other;
  channel->add_endpoint(Side::receiver);
  Endpoint* theirs = Endpoint::open(channel, Side::receiver, other);
  bool ready;
  Watch* watch = open(1, Side::receiver, ready);
  const int number = end(Side::receiver)->descriptor();
  std::thread waiting([&] {
    Cell cell;
    EXPECT_EQ(wait_recv(*channel, cell, round_of(*end(Side::receiver))), Status::ok);
  });
  test::await([&] { return channel->waiting(Side::receiver) == 3; });
  other.begin_exit();
  EXPECT_EQ(channel->waiting(Side::receiver), 3u);
  EXPECT_FALSE(is_readable(number) || is_readable(notifier->descriptor()));
  Watch::destroy(watch, false);
  EXPECT_EQ(channel->try_send(Cell::none(), lane), Status::ok);
  waiting.join();
  EXPECT_EQ(channel->stats().wakeups, 1u);
  Endpoint::destroy(theirs);
}

}  // namespace
}  // namespace xichan::internal
