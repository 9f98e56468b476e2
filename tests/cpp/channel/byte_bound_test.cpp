// The byte bound: which senders are woken, and the claim of a sender that waits for many bytes.
#include "channel/channel_support.h"
#include "endpoint/watch.h"

namespace xichan::internal {
namespace {

using test::Caller;

constexpr std::size_t light_size = 100;
constexpr std::size_t heavy_size = 1200;

// A channel that holds ten light messages, or one heavy message and two light ones.
class ByteBounds : public test::ChannelTest {
 protected:
  void SetUp() override {
    light_bytes = cost_of(keep(test::block_message(light_size)));
    heavy_bytes = cost_of(keep(test::block_message(heavy_size)));
    bound = 10 * light_bytes;
    make(Flavor::mpmc);
    ASSERT_LE(heavy_bytes + 2 * light_bytes, bound);
    ASSERT_GT(heavy_bytes + 3 * light_bytes, bound);
    for (const Cell& cell : kept) release(cell);
  }
  void TearDown() override {
    test::drop_both(channel);
    ChannelTest::TearDown();
  }

  void make(Flavor flavor) {
    ASSERT_EQ(create_channel({.flavor = flavor, .capacity = 100, .max_bytes = bound}, channel), Status::ok);
  }
  Cell keep(const Cell& cell) {
    kept.push_back(cell);
    return cell;
  }

  // Attempts a light message; releases it if it is not sent.
  Status try_light() {
    const Cell cell = test::block_message(light_size);
    const Status status = channel->try_send(cell, lane);
    if (status != Status::ok) release(cell);
    return status;
  }
  // The same from another thread, which no claim of the calling thread exempts.
  Status try_light_elsewhere() {
    Status status;
    std::thread([&] { status = try_light(); }).join();
    return status;
  }
  unsigned fill_with_light() {
    unsigned sent = 0;
    while (try_light() == Status::ok) ++sent;
    return sent;
  }
  // Waits without a thread until a message of `cost` bytes can be sent.
  static Watch* watch_send(Notifier& notifier, EndpointOwner& owner, Endpoint& endpoint, std::uint64_t key,
                           std::uint64_t cost, bool& ready) {
    auto* cases = new WatchCase[1];
    cases[0].endpoint = &endpoint;
    cases[0].offer = {};
    cases[0].cost = cost;
    return Watch::open(notifier, owner, key, cases, 1, ready);
  }
  Status receive() {
    Cell cell;
    const Status status = channel->try_recv(cell, lane);
    if (status == Status::ok) release(cell);
    return status;
  }
  Status send(std::size_t size, const WaitRound& round) {
    const Cell cell = test::block_message(size);
    const Status status = wait_send(*channel, cell, round);
    if (status != Status::ok) release(cell);
    return status;
  }
  void await_senders(unsigned count) {
    test::await([&] { return channel->waiting(Side::sender) == count; });
  }
  // Lets light messages pass the sender that waits until its claim is firm.
  void make_claim_firm() {
    for (unsigned passed = 0; passed < 10; ++passed) {
      ASSERT_EQ(receive(), Status::ok);
      ASSERT_EQ(try_light_elsewhere(), Status::ok) << passed << " have passed";
    }
    ASSERT_EQ(receive(), Status::ok);
    ASSERT_EQ(try_light_elsewhere(), Status::full) << "the bytes are claimed";
  }

  std::vector<Cell> kept;
  std::uint64_t light_bytes, heavy_bytes, bound;
  Channel* channel = nullptr;
  Caller caller;
};

TEST_F(ByteBounds, SendersThatDoNotFitAreNotWoken) {
  const test::Watchdog watchdog("blocked senders of heavy messages");
  for (int i = 0; i < 5; ++i) ASSERT_EQ(try_light(), Status::ok);
  constexpr unsigned blocked = 8;
  std::vector<std::thread> senders;
  for (unsigned i = 0; i < blocked; ++i) {
    senders.emplace_back([&] { EXPECT_EQ(send(heavy_size, caller.round()), Status::closed); });
  }
  await_senders(blocked);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(try_light(), Status::ok);
    EXPECT_EQ(receive(), Status::ok);
  }
  EXPECT_EQ(channel->try_send(Cell::none(), lane), Status::ok);
  EXPECT_EQ(channel->stats().wakeups, 0u);
  EXPECT_EQ(channel->waiting(Side::sender), blocked);
  channel->shutdown(true);
  for (std::thread& sender : senders) sender.join();
}

TEST_F(ByteBounds, FreeBytesWakeEverySenderThatFits) {
  const test::Watchdog watchdog("blocked senders of light messages");
  const Cell heavy = test::block_message(heavy_size);
  ASSERT_EQ(channel->try_send(heavy, lane), Status::ok);
  for (int i = 0; i < 2; ++i) ASSERT_EQ(try_light(), Status::ok);
  std::vector<std::thread> senders;
  for (unsigned i = 0; i < 8; ++i) {
    senders.emplace_back([&] { EXPECT_EQ(send(light_size, caller.round()), Status::ok); });
  }
  await_senders(8);
  EXPECT_EQ(receive(), Status::ok);
  for (std::thread& sender : senders) sender.join();
  EXPECT_EQ(channel->size(), 10u);
}

TEST_F(ByteBounds, HeavyMessageWaitsForBoundedNumberOfLightOnes) {
  const test::Watchdog watchdog("a heavy message beside light ones");
  ASSERT_EQ(fill_with_light(), 10u);
  std::thread heavy([&] { EXPECT_EQ(send(heavy_size, caller.round()), Status::ok); });
  await_senders(1);
  make_claim_firm();
  EXPECT_EQ(channel->try_send(Cell::none(), lane), Status::ok) << "a small value needs no bytes";
  while (channel->waiting(Side::sender) != 0) ASSERT_EQ(receive(), Status::ok);
  heavy.join();
  ASSERT_EQ(receive(), Status::ok);
  EXPECT_EQ(try_light(), Status::ok) << "the claim has ended";
}

TEST_F(ByteBounds, LightSendersWaitBehindClaimAndFollowIt) {
  const test::Watchdog watchdog("light senders behind a claim");
  ASSERT_EQ(fill_with_light(), 10u);
  std::vector<std::thread> senders;
  senders.emplace_back([&] { EXPECT_EQ(send(heavy_size, caller.round()), Status::ok); });
  await_senders(1);
  make_claim_firm();
  for (unsigned i = 0; i < 2; ++i)
    senders.emplace_back([&] { EXPECT_EQ(send(light_size, caller.round()), Status::ok); });
  await_senders(3);
  while (channel->sent() < 23) (void)receive();
  for (std::thread& sender : senders) sender.join();
}

// However the call with the claim ends, a light sender behind it goes on.
class ClaimEnds : public ByteBounds, public ::testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(Ways, ClaimEnds, ::testing::Values("timeout", "closed", "exit", "select", "given_up"),
                         [](const auto& way) { return std::string(way.param); });

TEST_P(ClaimEnds, ReleasesSendersThatWaitBehindIt) {
  const test::Watchdog watchdog("the end of a claim");
  const std::string way = GetParam();
  ASSERT_EQ(fill_with_light(), 10u);
  EndpointOwner owner;
  channel->add_endpoint(Side::sender);
  Endpoint* endpoint = Endpoint::open(channel, Side::sender, owner);
  Channel* other = test::new_channel(1);
  std::atomic<bool> go_on{false};
  std::atomic<bool> interrupted{false};
  std::thread heavy([&] {
    const Cell cell = test::block_message(heavy_size);
    Case cases[] = {endpoint->as_case(cell),
                    {.channel = other,
                     .side = Side::receiver,
                     .lane = &lane,
                     .end_closed = &caller.closed,
                     .owner = &caller,
                     .cell = {}}};
    const std::span<Case> used(cases, way == "select" ? 2 : 1);
    std::size_t chosen = 9;
    Status status;
    do {
      const bool sliced = way == "timeout" || way == "given_up";
      const Deadline slice = sliced ? Deadline::after(1'000'000) : Deadline::never();
      const Deadline deadline = way == "timeout" && go_on.load() ? Deadline::at(1) : Deadline::never();
      status = wait_any(used, owner.limits(deadline, slice, false, 0), chosen);
    } while (status == Status::interrupted && way != "exit" && !(way == "given_up" && go_on.load()));
    if (way == "timeout") {
      EXPECT_EQ(status, Status::timeout);
    } else if (way == "closed") {
      EXPECT_EQ(status, Status::end_closed);
    } else if (way == "select") {
      EXPECT_EQ(chosen, 1u);
    }
    if (status == Status::interrupted) give_up(cases[0]);
    release(cell);
    interrupted.store(true);
  });
  test::await([&] { return channel->stats().parks != 0; });
  make_claim_firm();
  std::thread light([&] { EXPECT_EQ(send(light_size, caller.round()), Status::ok); });
  test::await([&] { return channel->stats().parks >= 2 && channel->waiting(Side::sender) != 0; });
  go_on.store(true);
  endpoint->enter();
  if (way == "closed") endpoint->close();
  if (way == "exit") owner.begin_exit();
  if (way == "select") {
    EXPECT_EQ(other->try_send(Cell::none(), lane), Status::ok);
  }
  heavy.join();
  light.join();
  channel->unpin();
  endpoint->leave();
  Endpoint::destroy(endpoint);
  test::drop_both(other);
}

TEST_F(ByteBounds, InterruptedCallKeepsItsClaimExceptFromItsOwnThread) {
  ASSERT_EQ(fill_with_light(), 10u);
  const Cell cell = test::block_message(heavy_size);
  Case heavy{.channel = channel,
             .side = Side::sender,
             .lane = &lane,
             .end_closed = &caller.closed,
             .owner = &caller,
             .cell = cell};
  std::size_t chosen;
  const auto wait = [&] {
    static const atomic<bool> never{false};
    return wait_any({&heavy, 1}, {Deadline::never(), Deadline::after(1'000'000), &never, false}, chosen);
  };
  ASSERT_EQ(wait(), Status::interrupted);
  make_claim_firm();
  EXPECT_EQ(try_light(), Status::ok) << "a signal handler finds the interrupted call not begun";
  while (receive() == Status::ok) {
  }
  EXPECT_EQ(fill_with_light(), 10u) << "the claim has lapsed, because the channel was empty";
  ASSERT_EQ(wait(), Status::interrupted);
  for (int i = 0; i < 8; ++i) ASSERT_EQ(receive(), Status::ok);
  EXPECT_EQ(wait(), Status::ok);
}

TEST_F(ByteBounds, InterruptedCallReturnsToItsPlace) {
  const test::Watchdog watchdog("two heavy senders");
  ASSERT_EQ(fill_with_light(), 10u);
  const Cell patient = test::block_message(heavy_size);
  const auto send_in_slices = [&](const Cell& cell, std::int64_t slice_ns) {
    Case heavy{.channel = channel,
               .side = Side::sender,
               .lane = &lane,
               .end_closed = &caller.closed,
               .owner = &caller,
               .cell = cell};
    std::size_t chosen;
    static const atomic<bool> never{false};
    Status status;
    do {
      const Deadline slice = slice_ns != 0 ? Deadline::after(slice_ns) : Deadline::never();
      status = wait_any({&heavy, 1}, {Deadline::never(), slice, &never, false}, chosen);
    } while (status == Status::interrupted);
    EXPECT_EQ(status, Status::ok);
  };
  std::thread one([&] { send_in_slices(patient, 1'000'000); });
  test::await([&] { return channel->stats().parks >= 1; });
  constexpr int others = 20;
  std::thread two([&] {
    for (int i = 0; i < others; ++i) send_in_slices(test::block_message(heavy_size), 0);
  });
  test::await([&] { return channel->stats().parks >= 20; });
  int passed = 0;
  bool arrived = false;
  for (int heavy = 0; heavy < others + 1;) {
    Cell cell;
    if (channel->try_recv(cell, lane) != Status::ok) {
      std::this_thread::yield();
      continue;
    }
    if (cost_of(cell) == heavy_bytes) {
      ++heavy;
      arrived |= cell.as_block() == patient.as_block();
      passed += !arrived;
    }
    release(cell);
  }
  EXPECT_LE(passed, 2) << "other messages of up to the bound may pass the call";
  one.join();
  two.join();
}

TEST_F(ByteBounds, ClaimOfCoroutineLastsUntilItActsOrChannelIsEmpty) {
  for (const bool acts : {true, false}) {
    while (receive() == Status::ok) {
    }
    ASSERT_EQ(fill_with_light(), 10u);
    EndpointOwner owner;
    Notifier* notifier = Notifier::create();
    channel->add_endpoint(Side::sender);
    Endpoint* endpoint = Endpoint::open(channel, Side::sender, owner);
    bool ready;
    Watch* watch = watch_send(*notifier, owner, *endpoint, 1, heavy_bytes, ready);
    ASSERT_FALSE(ready);
    make_claim_firm();
    while (channel->waiting(Side::sender) != 0) ASSERT_EQ(receive(), Status::ok);
    EXPECT_EQ(try_light(), Status::full) << "the coroutine was notified, and has not acted";
    if (acts) {
      std::size_t number;
      EXPECT_EQ(watch->close(number), Outcome::notified);
      const Cell cell = test::block_message(heavy_size);
      EXPECT_EQ(endpoint->try_send(cell), Status::ok);
      ASSERT_EQ(receive(), Status::ok);
      EXPECT_EQ(try_light(), Status::ok) << "the claim has ended";
    } else {
      while (receive() == Status::ok) {
      }
      EXPECT_EQ(fill_with_light(), 10u) << "its event loop may never run again";
    }
    Watch::destroy(watch, acts);
    Endpoint::destroy(endpoint);
    notifier->release();
  }
}

TEST_F(ByteBounds, FirmClaimOfOneCoroutineBindsAnother) {
  ASSERT_EQ(fill_with_light(), 10u);
  EndpointOwner owner;
  Notifier* notifier = Notifier::create();
  Watch* watches[2];
  Endpoint* endpoints[2];
  for (const bool second : {false, true}) {
    channel->add_endpoint(Side::sender);
    endpoints[second] = Endpoint::open(channel, Side::sender, owner);
    bool ready;
    const std::uint64_t cost = second ? light_bytes : heavy_bytes;
    watches[second] = watch_send(*notifier, owner, *endpoints[second], 1 + second, cost, ready);
    EXPECT_FALSE(ready) << "its event loop would try again and again";
    if (!second) make_claim_firm();
  }
  std::size_t number;
  ASSERT_EQ(receive(), Status::ok);
  EXPECT_EQ(watches[1]->close(number), Outcome::waiting) << "the bytes are claimed";
  for (Watch* watch : watches) Watch::destroy(watch, false);
  for (Endpoint* endpoint : endpoints) Endpoint::destroy(endpoint);
  notifier->release();
}

TEST_F(ByteBounds, DestroyedWatchReleasesItsClaim) {
  const test::Watchdog watchdog("a cancelled coroutine");
  ASSERT_EQ(fill_with_light(), 10u);
  EndpointOwner owner;
  Notifier* notifier = Notifier::create();
  channel->add_endpoint(Side::sender);
  Endpoint* endpoint = Endpoint::open(channel, Side::sender, owner);
  bool ready;
  Watch* watch = watch_send(*notifier, owner, *endpoint, 1, heavy_bytes, ready);
  make_claim_firm();
  std::thread light([&] { EXPECT_EQ(send(light_size, caller.round()), Status::ok); });
  await_senders(2);
  Watch::destroy(watch, false);
  light.join();
  Endpoint::destroy(endpoint);
  notifier->release();
}

TEST_F(ByteBounds, DescriptorIsReadableOnceItsMessageFits) {
  ASSERT_EQ(fill_with_light(), 10u);
  EndpointOwner owner;
  channel->add_endpoint(Side::sender);
  Endpoint* endpoint = Endpoint::open(channel, Side::sender, owner);
  ASSERT_GE(endpoint->descriptor(), 0);
  EXPECT_FALSE(endpoint->arm(heavy_bytes));
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(channel->waiting(Side::sender), 1u) << i;
    ASSERT_EQ(receive(), Status::ok);
  }
  EXPECT_EQ(channel->waiting(Side::sender), 0u);
  EXPECT_EQ(try_light(), Status::ok) << "a descriptor claims nothing";
  Endpoint::destroy(endpoint);
}

TEST_F(ByteBounds, RendezvousRefusesMessageAboveBound) {
  test::drop_both(channel);
  make(Flavor::rendezvous);
  const Cell large = test::block_message(2000);
  EXPECT_EQ(channel->try_send(large, lane), Status::too_large);
  release(large);
  EXPECT_EQ(send(heavy_size, caller.round(Deadline::at(1))), Status::timeout)
      << "within the bound, but no receiver waits";
}

// Senders and receivers of all sizes, some of which give up: accepted messages arrive, and no call hangs.
TEST_F(ByteBounds, MixedTrafficLosesNoWakeUp) {
  const test::Watchdog watchdog("traffic under a byte bound");
  constexpr unsigned senders = 3;
  const int each = test::rounds(3'000);
  std::atomic<int> accepted{0}, received{0};
  std::atomic<unsigned> sending{senders};
  test::together(senders + 2, [&](unsigned thread) {
    const Caller own;
    if (thread < senders) {
      for (int i = 0; i < each; ++i) {
        const bool gives_up = thread == 1 && i % 3 == 0;
        const Deadline deadline = gives_up ? Deadline::after(2'000) : Deadline::never();
        const Status status = send((i + thread) % 5 == 0 ? heavy_size : light_size, own.round(deadline));
        EXPECT_TRUE(status == Status::ok || (gives_up && status == Status::timeout));
        accepted += status == Status::ok;
        EXPECT_LE(channel->stats().bytes, bound);
      }
      if (--sending == 0) channel->shutdown(false);
    } else {
      Cell cell;
      while (wait_recv(*channel, cell, own.round()) == Status::ok) {
        ++received;
        release(cell);
      }
    }
  });
  EXPECT_EQ(accepted, received);
}

}  // namespace
}  // namespace xichan::internal
