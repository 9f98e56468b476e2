// Models of channels with rings other than mpmc's, and of the byte bound: the same traffic and the same ways to close.
#include "channel_scenarios.h"

namespace xichan::internal {
namespace model {
namespace {

// All threads of a side of an spsc channel share one endpoint, as they must.
constexpr ChannelKind spsc_1{Flavor::spsc, 1};
constexpr ChannelKind spsc_2{Flavor::spsc, 2};
constexpr ChannelKind endless{Flavor::unbounded, 0};  // in segments of two
constexpr ChannelKind bytes_1{Flavor::mpmc, 2, 1};    // two places, and bytes for one message
constexpr ChannelKind bytes_2{Flavor::mpmc, 3, 2};

// Two endpoints use a side of an spsc channel in turn: the second one gets `claimed` until the first has released its
// claim.
struct Claims : WithChannel<Claims, 3, 2, 1, spsc_2> {
  Lane other_lane;
  rl::var<int> mine;  // stands for all that the one owner of a side may touch
  int sent = 0;

  void begin() {
    WithChannel::begin();
    mine($) = 0;
  }
  void thread(unsigned index) {
    if (index == 2) {
      poll(2);
      drop_endpoint(Side::receiver);
      return;
    }
    Case only = sending(index);
    if (index == 1) only.lane = &other_lane;
    const Status status = attempt(only);
    RL_ASSERT(status == Status::ok || status == Status::claimed || status == Status::closed);
    if (status == Status::ok) {
      mine($) = mine($) + 1;
      ++sent;
    }
    channels[0]->unclaim(Side::sender, *only.lane);
    drop_endpoint(Side::sender);
  }
  void after() {
    RL_ASSERT(mine($) == sent);
    WithChannel::after();
  }
};

// A sender reserves bytes for a message that then finds no slot, and releases them: a sender that waits for more bytes
// than were free meanwhile is woken.
struct ReleasesBytes : WithChannel<ReleasesBytes, 3, 1, 1, ChannelKind{Flavor::mpmc, 1, 2}> {
  void begin() {
    WithChannel::begin();
    RL_ASSERT(attempt(sending(0)) == Status::ok);
  }
  void thread(unsigned index) {
    if (index == 0) {
      if (attempt(sending(0)) == Status::ok) RL_ASSERT(poll(0) == Status::ok);
    } else if (index == 1) {
      RL_ASSERT(poll(1) == Status::ok);
    } else {
      RL_ASSERT(wait(sending_heavy(2)) == Status::ok);
    }
  }
};

constexpr ChannelKind bytes_heavy{Flavor::mpmc, 4, 2};  // bytes for one heavy message
constexpr ChannelKind bytes_mixed{Flavor::mpmc, 4, 3};

// A heavy message waits for the bytes of a light one that is queued, and claims them from light ones that come later.
// The heavy call may also time out, or its endpoint may be closed: those that wait for its claim must go on.
enum class Ends { sent, timed_out, closed };
template <Ends How>
struct Claimed : WithChannel<Claimed<How>, How == Ends::closed ? 4 : 3, 2, 2, bytes_heavy> {
  void begin() {
    Claimed::WithChannel::begin();
    RL_ASSERT(this->attempt(this->sending(1)) == Status::ok);
  }
  void thread(unsigned index) {
    if (index == 0) {
      const Deadline deadline = How == Ends::timed_out ? Deadline::at(1) : Deadline::never();
      const Status status = this->wait(this->sending_heavy(0), deadline);
      RL_ASSERT(status == Status::ok || (How == Ends::timed_out && status == Status::timeout) ||
                (How == Ends::closed && status == Status::end_closed));
      if (status == Status::ok) RL_ASSERT(this->recv(0) == Status::ok);
    } else if (index == 1) {
      for (int i = 0; i < 2; ++i) RL_ASSERT(this->send(1) == Status::ok);
    } else if (index == 2) {
      for (int i = 0; i < 3; ++i) RL_ASSERT(this->recv(2) == Status::ok);
    } else {
      this->cancel(0, Side::sender);
    }
  }
};

// A heavy and a light message wait, and a third thread may take the bytes that one of them was woken for: a wake-up
// that the one cannot use reaches the other (rule (d)).
struct Uneven : WithChannel<Uneven, 4, 3, 2, bytes_mixed> {
  void begin() {
    WithChannel::begin();
    RL_ASSERT(attempt(sending_heavy(3)) == Status::ok);
    RL_ASSERT(attempt(sending(3)) == Status::ok);
  }
  void thread(unsigned index) {
    if (index == 0) RL_ASSERT(wait(sending_heavy(0)) == Status::ok);
    if (index == 1) RL_ASSERT(send(1) == Status::ok);
    if (index == 2 && attempt(sending(2)) == Status::ok) RL_ASSERT(recv(2) == Status::ok);
    if (index == 3) {
      for (int i = 0; i < 2; ++i) RL_ASSERT(recv(3) == Status::ok);
    }
  }
};

// A coroutine, as src/endpoint/watch.h: it is notified, has its claim meanwhile, and acts later or not at all. The
// claim lapses when a receiver finds the channel empty.
class Coroutine final : public Waiter {
 public:
  bool notify(WaitNode& node, Wake& wake) noexcept override { return inner_.notify(node, wake); }
  bool transfer(WaitNode&, Wake&) noexcept override { return false; }
  bool can_transfer(const WaitNode&) const noexcept override { return false; }
  bool cancel(WaitNode& node, Wake& wake) noexcept override { return inner_.cancel(node, wake); }
  bool nudge(WaitNode& node, Wake& wake) noexcept override { return inner_.nudge(node, wake); }

  // Returns the ticket, with which the coroutine may still have the claim.
  std::uint64_t wait(Channel& channel, std::uint64_t cost) noexcept {
    WaitNode node{.waiter = this, .cost = cost, .kind = WaitKind::coroutine};
    if (!channel.enlist(Side::sender, node)) inner_.park(Deadline::never());
    channel.delist(Side::sender, node);
    return node.ticket;
  }
  bool has_token() const noexcept { return inner_.was_notified(); }

 private:
  ThreadWaiter inner_;
};

template <bool Acts>
struct Abandoned : WithChannel<Abandoned<Acts>, 3, 2, 1, bytes_heavy> {
  Lane loop;

  void begin() {
    Abandoned::WithChannel::begin();
    RL_ASSERT(this->attempt(this->sending(1)) == Status::ok);
  }
  void thread(unsigned index) {
    if (index == 0) {
      for (;;) {
        Coroutine coroutine;
        const std::uint64_t ticket = coroutine.wait(*this->channels[0], 2);
        if (!Acts) return;  // it keeps its claim, but the thread that it was woken by looks again
        Case only = this->sending_heavy(0);
        loop.ticket.store(ticket, memory_order_relaxed);
        only.lane = &loop;
        const Status status = this->attempt(only);
        if (coroutine.has_token()) this->channels[0]->pass_token(Side::sender);
        this->channels[0]->withdraw(ticket);
        if (status == Status::ok) return;
      }
    }
    constexpr int light = Acts ? 1 : 4;  // more than may pass the claim
    if (index == 1) {
      for (int i = 0; i < light; ++i) RL_ASSERT(this->send(1) == Status::ok);
    }
    if (index == 2) {
      for (int i = 0; i < 1 + light + Acts; ++i) RL_ASSERT(this->recv(2) == Status::ok);
    }
  }
};

}  // namespace
}  // namespace model
}  // namespace xichan::internal

int main(int argc, char** argv) {
  using namespace xichan::internal::model;
  return xichan::internal::model::main(argc, argv,
                                       {
                                           {"spsc_1x1", random_search<Traffic<1, 1, spsc_1, 3>>, 150'000},
                                           {"spsc_1x1_wide", random_search<Traffic<1, 1, spsc_2, 4>>, 150'000},
                                           {"spsc_shared_ends", random_search<Traffic<2, 2, spsc_1, 1>>, 100'000},
                                           {"spsc_last_sender", random_search<LastSender<1, 1, spsc_1>>, 150'000},
                                           {"spsc_last_receiver", random_search<LastReceiver<1, 1, spsc_1>>, 150'000},
                                           {"spsc_shutdown", random_search<Shutdown<true, spsc_1>>, 100'000},
                                           {"spsc_drained_1x2", random_search<Drained<1, 2, spsc_1>>, 100'000},
                                           {"spsc_drained_2x1", random_search<Drained<2, 1, spsc_2>>, 100'000},
                                           {"spsc_one_stays", random_search<OneStays<true, spsc_1>>, 100'000},
                                           {"spsc_claims", random_search<Claims>, 150'000},
                                           {"unbounded_1x2", random_search<Traffic<1, 2, endless, 4>>, 100'000},
                                           {"unbounded_2x2", random_search<Traffic<2, 2, endless, 2>>, 100'000},
                                           {"unbounded_last_sender", random_search<LastSender<2, 2, endless>>, 100'000},
                                           {"unbounded_shutdown", random_search<Shutdown<true, endless>>, 100'000},
                                           {"unbounded_drained", random_search<Drained<1, 2, endless>>, 100'000},
                                           {"bytes_1x1", random_search<Traffic<1, 1, bytes_1, 3>>, 150'000},
                                           {"bytes_2x1", random_search<Traffic<2, 1, bytes_1, 1>>, 150'000},
                                           {"bytes_2x2", random_search<Traffic<2, 2, bytes_1, 2>>, 100'000},
                                           {"bytes_2x2_wide", random_search<Traffic<2, 2, bytes_2, 2>>, 100'000},
                                           {"bytes_released", random_search<ReleasesBytes>, 100'000},
                                           {"bytes_claimed", random_search<Claimed<Ends::sent>>, 100'000},
                                           {"bytes_claim_timed", random_search<Claimed<Ends::timed_out>>, 100'000},
                                           {"bytes_claim_closed", random_search<Claimed<Ends::closed>>, 100'000},
                                           {"bytes_uneven", random_search<Uneven>, 150'000},
                                           {"bytes_coroutine", random_search<Abandoned<true>>, 100'000},
                                           {"bytes_abandoned", random_search<Abandoned<false>>, 100'000},
                                           {"bytes_last_receiver", random_search<LastReceiver<2, 2, bytes_1>>, 100'000},
                                           {"bytes_shutdown", random_search<Shutdown<true, bytes_1>>, 100'000},
                                       });
}
