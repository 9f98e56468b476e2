// Models of the byte bound: traffic and ways to close, and the claims of senders that wait for bytes.
#include "channel_scenarios.h"

namespace xichan::internal {
namespace model {
namespace {

constexpr ChannelKind bytes_1{Flavor::mpmc, 2, 1};  // two places, and bytes for one message
constexpr ChannelKind bytes_2{Flavor::mpmc, 3, 2};

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

// Two senders race for the one slot, so that one of them has reserved bytes in vain, while a third one needs all bytes.
struct Raced : WithChannel<Raced, 3, 3, 3, ChannelKind{Flavor::mpmc, 1, 2}> {
  void thread(unsigned index) {
    const Case message = index == 2 ? sending_heavy(2) : sending(index);
    if ((index == 2 ? wait(message) : attempt(message)) == Status::ok) RL_ASSERT(recv(index) == Status::ok);
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

// Light messages that pass the claim of a heavy one, until it is firm. One is queued before and afterwards.
template <class Derived, unsigned Threads>
struct WithClaim : WithChannel<Derived, Threads, 2, 2, bytes_heavy> {
  void begin() {
    WithClaim::WithChannel::begin();
    RL_ASSERT(this->attempt(this->sending(1)) == Status::ok);
  }
  void pass_claim(unsigned thread) {
    for (int i = 0; i < 2; ++i) {
      RL_ASSERT(this->send(thread) == Status::ok);
      RL_ASSERT(this->recv(thread) == Status::ok);
    }
  }
};

// A light message waits for a firm claim alone, and none is received meanwhile: the end of the claim wakes its sender.
template <Ends How>
struct Withdrawn : WithClaim<Withdrawn<How>, How == Ends::closed ? 3 : 2> {
  void thread(unsigned index) {
    if (index == 0) {
      const Deadline deadline = How == Ends::timed_out ? Deadline::at(1) : Deadline::never();
      const Status status = this->wait(this->sending_heavy(0), deadline);
      RL_ASSERT(status == (How == Ends::timed_out ? Status::timeout : Status::end_closed));
    } else if (index == 1) {
      this->pass_claim(1);
      RL_ASSERT(this->send(1) == Status::ok);
    } else {
      this->cancel(0, Side::sender);
    }
  }
};

// A heavy message gets its turn although one light message after the other could be sent: once they are as large as the
// bound together, they wait. One more may pass that was being sent when the claim began.
struct Firm : WithClaim<Firm, 2> {
  void thread(unsigned index) {
    if (index == 0) {
      RL_ASSERT(wait(sending_heavy(0)) == Status::ok);
      return;
    }
    while (channels[0]->stats().parks == 0) rl::yield(1, $);
    for (std::uint64_t passed = 0; attempt(sending(1)) == Status::ok;) {
      RL_ASSERT(++passed <= bytes_heavy.max_bytes + 1);
      RL_ASSERT(recv(1) == Status::ok);
    }
    RL_ASSERT(recv(1) == Status::ok);
  }
};

// A call that has the claim is interrupted, and its thread runs other code, such as a signal handler: that never
// returns while receivers empty the channel, or while the interpreter ends; that raises; or that sends a light message
// itself, after which the call is resumed.
enum class Handler { blocks, ends, gives_up, sends };
template <Handler Does>
struct Interrupted : WithClaim<Interrupted<Does>, Does == Handler::blocks ? 3 : 2> {
  atomic<bool> interrupts;

  void begin() {
    Interrupted::WithClaim::begin();
    interrupts.store(false, memory_order_relaxed);
  }
  Status wait_interruptibly(Case& heavy) {
    std::size_t chosen;
    Status status = this->attempt(heavy);
    if (status != Status::ok) {
      status = wait_any({&heavy, 1}, {Deadline::never(), Deadline::never(), &interrupts, false}, chosen);
      if (status == Status::ok) this->count(heavy);
    }
    return status;
  }
  void thread(unsigned index) {
    if (index == 1) {
      this->pass_claim(1);
      interrupts.store(true, memory_order_seq_cst);
      this->nudge(0, Side::sender);
      if (Does != Handler::sends) RL_ASSERT(this->send(1) == Status::ok);
      return;
    }
    if (index == 2) {
      while (!interrupts.load(memory_order_relaxed)) rl::yield(1, $);
      for (int i = 0; i < 2; ++i) RL_ASSERT(this->recv(2) == Status::ok);
      return;
    }
    Case heavy = this->sending_heavy(0);
    const Status status = wait_interruptibly(heavy);
    if (Does == Handler::blocks) {
      if (status == Status::ok) RL_ASSERT(this->recv(0) == Status::ok);
      return;
    }
    RL_ASSERT(status == Status::interrupted);
    if (Does == Handler::ends) return this->cancel(0, Side::sender);
    if (Does == Handler::gives_up) return give_up(heavy);
    RL_ASSERT(this->send(0) == Status::ok);
    for (int i = 0; i < 2; ++i) RL_ASSERT(this->recv(0) == Status::ok);
    interrupts.store(false, memory_order_relaxed);
    RL_ASSERT(wait_interruptibly(heavy) == Status::ok);
  }
};

// The same with bytes for one message: the receiver that empties the channel must find the claim, although it has
// received nothing from a sender that saw it.
struct Unseen : WithChannel<Unseen, 3, 2, 2, bytes_1> {
  atomic<bool> interrupts;

  void begin() {
    WithChannel::begin();
    interrupts.store(false, memory_order_relaxed);
    RL_ASSERT(attempt(sending(1)) == Status::ok);
  }
  void thread(unsigned index) {
    if (index == 0) {
      Case message = sending(0);
      std::size_t chosen;
      if (wait_any({&message, 1}, {Deadline::never(), Deadline::never(), &interrupts, false}, chosen) == Status::ok) {
        count(message);
        RL_ASSERT(recv(0) == Status::ok);
      }
    } else if (index == 1) {
      interrupts.store(true, memory_order_seq_cst);
      nudge(0, Side::sender);
      for (int i = 0; i < 2; ++i) RL_ASSERT(send(1) == Status::ok);
    } else {
      for (int i = 0; i < 3; ++i) RL_ASSERT(recv(2) == Status::ok);
    }
  }
};

}  // namespace
}  // namespace model
}  // namespace xichan::internal

int main(int argc, char** argv) {
  using namespace xichan::internal::model;
  return xichan::internal::model::main(
      argc, argv,
      {
          {"traffic_1x1", random_search<Traffic<1, 1, bytes_1, 3>>, 150'000},
          {"traffic_2x1", random_search<Traffic<2, 1, bytes_1, 1>>, 150'000},
          {"traffic_2x2", random_search<Traffic<2, 2, bytes_1, 2>>, 100'000},
          {"traffic_2x2_wide", random_search<Traffic<2, 2, bytes_2, 2>>, 100'000},
          {"released", random_search<ReleasesBytes>, 100'000},
          {"raced", random_search<Raced>, 150'000},
          {"claimed", random_search<Claimed<Ends::sent>>, 100'000},
          {"claim_timed", random_search<Claimed<Ends::timed_out>>, 100'000},
          {"claim_closed", random_search<Claimed<Ends::closed>>, 100'000},
          {"uneven", random_search<Uneven>, 150'000},
          {"coroutine", random_search<Abandoned<true>>, 100'000},
          {"abandoned", random_search<Abandoned<false>>, 100'000},
          {"claim_withdrawn_timed", random_search<Withdrawn<Ends::timed_out>>, 100'000},
          {"claim_withdrawn_closed", random_search<Withdrawn<Ends::closed>>, 100'000},
          {"claim_firm", random_search<Firm>, 100'000},
          {"claim_of_blocked_handler", random_search<Interrupted<Handler::blocks>>, 150'000},
          {"claim_unseen", random_search<Unseen>, 150'000},
          {"claim_of_ended_call", random_search<Interrupted<Handler::ends>>, 100'000},
          {"claim_of_failed_call", random_search<Interrupted<Handler::gives_up>>, 100'000},
          {"claim_of_resumed_call", random_search<Interrupted<Handler::sends>>, 100'000},
          {"last_receiver", random_search<LastReceiver<2, 2, bytes_1>>, 100'000},
          {"shutdown", random_search<Shutdown<true, bytes_1>>, 100'000},
          {"discarded", random_search<Discarded<false, bytes_1>>, 100'000},
          {"discarded_by_shutdown", random_search<Discarded<true, bytes_2>>, 100'000},
      });
}
