// Models of a rendezvous channel, which has no ring.
#include "channel_scenarios.h"

namespace xichan::internal {
namespace model {
namespace {

// Either side may time out at any moment. A message whose send succeeded is received, and one whose send timed out is
// not. The last sender stays until its message is taken, or until no receiver is left.
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
    drop_endpoint(index < 2 ? Side::sender : Side::receiver);
  }
};

// Behaves as src/endpoint/watch.h at a rendezvous: a receiver that cannot be given a message, only notified.
class Visitor final : public Waiter {
 public:
  bool notify(WaitNode& node, Wake& wake) noexcept override { return inner_.notify(node, wake); }
  bool transfer(WaitNode&, Wake&) noexcept override { return false; }
  bool can_transfer(const WaitNode&) const noexcept override { return false; }
  bool cancel(WaitNode& node, Wake& wake) noexcept override { return inner_.cancel(node, wake); }
  bool nudge(WaitNode& node, Wake& wake) noexcept override { return inner_.nudge(node, wake); }

  // Waits at two channels at once. Returns the one where it was notified and so holds a token; -1 if it should not
  // have gone to sleep.
  int visit_both(Channel& first, Channel& second) noexcept {
    WaitNode nodes[] = {{.waiter = this, .index = 0}, {.waiter = this, .index = 1}};
    const bool ready = first.enlist(Side::receiver, nodes[0]);
    if (!ready && !second.enlist(Side::receiver, nodes[1])) inner_.park(Deadline::never());
    first.delist(Side::receiver, nodes[0]);
    if (!ready) second.delist(Side::receiver, nodes[1]);
    return inner_.was_notified() ? static_cast<int>(inner_.index()) : -1;
  }

  // Returns true if it was notified, and so holds a token.
  bool visit(Channel& channel, bool patient) noexcept {
    WaitNode node{.waiter = this};
    if (!channel.enlist(Side::receiver, node)) inner_.park(patient ? Deadline::never() : Deadline::at(1));
    channel.delist(Side::receiver, node);
    return inner_.was_notified();
  }

 private:
  ThreadWaiter inner_;
};

// Two visitors at a rendezvous: one leaves at any moment; the other stays and must get a sender's message.
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
};

// A visitor of two channels that was notified at one is no longer available at the other: the next waiter there is
// notified.
struct VisitorOfTwo : WithChannel<VisitorOfTwo, 4, 1, 1, 0, 2> {
  void thread(unsigned index) {
    if (index < 2) RL_ASSERT(send(index, Deadline::never(), index) == Status::ok);
    if (index == 2) {
      while (attempt(receiving(2, 1)) != Status::ok) {
        Visitor visitor;
        if (visitor.visit_both(*channels[0], *channels[1]) == 0) channels[0]->pass_token(Side::receiver);
      }
    }
    if (index == 3) {
      while (poll(3) != Status::ok) {
        Visitor visitor;
        visitor.visit(*channels[0], true);
      }
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
                                           {"rendezvous_1x1", random_search<Traffic<1, 1, 0, 2>>, 150'000},
                                           {"rendezvous_2x2", random_search<Traffic<2, 2, 0, 2>>, 100'000},
                                           {"rendezvous_timed", random_search<TimedMeeting>, 100'000},
                                           {"rendezvous_one_stays", random_search<OneStays<true, 0>>, 100'000},
                                           {"rendezvous_cancelled", random_search<OneStays<false, 0>>, 100'000},
                                           {"rendezvous_last_sender", random_search<LastSender<2, 2, 0>>, 100'000},
                                           {"rendezvous_last_receiver", random_search<LastReceiver<2, 2, 0>>, 100'000},
                                           {"rendezvous_shutdown", random_search<Shutdown<false, 0>>, 100'000},
                                           {"rendezvous_exiting", random_search<Exiting<0>>, 100'000},
                                           {"rendezvous_visitors", random_search<Visitors>, 100'000},
                                           {"rendezvous_visitor_of_two", random_search<VisitorOfTwo>, 100'000},
                                       });
}
