// Scenarios for any channel, with a ring or at a rendezvous.
#pragma once

#include "channel_under_model.h"
#include "no_registry.h"

namespace xichan::internal {
namespace model {
namespace {

// All calls wait indefinitely; all messages are sent and received. The endpoints stay open until then, because closing
// one wakes all waiters and would hide a lost wake-up.
template <unsigned Senders, unsigned Receivers, ChannelKind Of, int Items>
struct Traffic : WithChannel<Traffic<Senders, Receivers, Of, Items>, Senders + Receivers, Senders, Receivers, Of> {
  void thread(unsigned index) {
    const bool sends = index < Senders;
    constexpr int share = Senders * Items / Receivers;
    for (int i = 0; i < (sends ? Items : share); ++i) {
      RL_ASSERT((sends ? this->send(index) : this->recv(index)) == Status::ok);
    }
  }
};

// A full ring, and as many sends as receives: a sender woken for a slot that is not the next one depends on others to
// pass the token on (rule (a)).
template <unsigned Each, ChannelKind Of>
struct Full : WithChannel<Full<Each, Of>, 2 * Each, Each, Each, Of> {
  void begin() {
    Full::WithChannel::begin();
    for (unsigned i = 0; i < Of.capacity; ++i) RL_ASSERT(this->attempt(this->sending(0)) == Status::ok);
  }
  void thread(unsigned index) { RL_ASSERT((index < Each ? this->send(index) : this->recv(index)) == Status::ok); }
};

// The senders close one by one; receivers drain until they get `closed`.
template <unsigned Senders, unsigned Receivers, ChannelKind Of>
struct LastSender : WithChannel<LastSender<Senders, Receivers, Of>, Senders + Receivers, Senders, Receivers, Of> {
  void thread(unsigned index) {
    if (index < Senders) {
      RL_ASSERT(this->send(index) == Status::ok);
      this->drop_endpoint(Side::sender);
    } else {
      Status status;
      while ((status = this->recv(index)) == Status::ok) {
      }
      RL_ASSERT(status == Status::closed);
      this->drop_endpoint(Side::receiver);
    }
  }
  void after() {
    RL_ASSERT(this->total(this->received) == static_cast<int>(Senders));
    LastSender::WithChannel::after();
  }
};

// The receivers close; senders get `closed`, and some thread discards what was queued.
template <unsigned Senders, unsigned Receivers, ChannelKind Of>
struct LastReceiver : WithChannel<LastReceiver<Senders, Receivers, Of>, Senders + Receivers, Senders, Receivers, Of> {
  void thread(unsigned index) {
    if (index < Senders) {
      Status status;
      while ((status = this->send(index)) == Status::ok) {
      }
      RL_ASSERT(status == Status::closed);
      this->drop_endpoint(Side::sender);
    } else {
      if (index == Senders) this->poll(index);
      this->drop_endpoint(Side::receiver);
    }
  }
};

// One thread shuts the channel down while another is in the middle of a send and two wait to receive.
template <bool Immediate, ChannelKind Of = 1>
struct Shutdown : WithChannel<Shutdown<Immediate, Of>, 4, 2, 2, Of> {
  void thread(unsigned index) {
    if (index == 0) this->channels[0]->shutdown(Immediate);
    if (index == 1) this->send(index);
    if (index >= 2) {
      while (this->recv(index) == Status::ok) {
      }
    }
    this->drop_endpoint(index < 2 ? Side::sender : Side::receiver);
  }
};

// The same with endpoints that stay open, so that closing them wakes no waiter: a receiver that found the last item
// claimed but not yet published goes to sleep after the shutdown has woken all waiters; the receiver that takes the
// item wakes it. Once receivers get `closed`, no message is left and none arrives (H2).
template <unsigned Senders, unsigned Receivers, ChannelKind Of>
struct Drained : WithChannel<Drained<Senders, Receivers, Of>, 1 + Senders + Receivers, 1, 1, Of> {
  void thread(unsigned index) {
    if (index == 0) this->channels[0]->shutdown(false);
    if (index >= 1 && index <= Senders) this->send(index);
    if (index > Senders) {
      while (this->recv(index) == Status::ok) {
      }
    }
  }
  void after() {
    RL_ASSERT(this->channels[0]->size() == 0);
    Drained::WithChannel::after();
  }
};

// The last receiver closes, or the channel is shut down, while senders send until they get `closed`. Their endpoints
// and the channel stay: the queue must still be empty once all threads are done.
template <bool ByShutdown, ChannelKind Of>
struct Discarded : WithChannel<Discarded<ByShutdown, Of>, 3, 2, 1, Of> {
  void thread(unsigned index) {
    if (index == 2 && ByShutdown) this->channels[0]->shutdown(true);
    if (index == 2 && !ByShutdown) this->drop_endpoint(Side::receiver);
    if (index != 2) {
      while (this->send(index) == Status::ok) {
      }
    }
  }
  void after() {
    RL_ASSERT(this->channels[0]->size() == 0 && this->channels[0]->stats().bytes == 0);
    this->drop_endpoint(Side::sender);
    this->drop_endpoint(Side::sender);
    if (ByShutdown) this->drop_endpoint(Side::receiver);
    Discarded::WithChannel::after();
  }
};

enum class By { last_endpoint, shutdown, cancel, exit_of_process, exit_of_owner, interrupt };

// A call that no peer ever serves, until the channel is shut down, or the interpreter or the process ends.
template <By Way, Side Waiting, ChannelKind Of>
struct Alone : WithChannel<Alone<Way, Waiting, Of>, 2, 1, 1, Of> {
  void begin() {
    Alone::WithChannel::begin();
    if (Waiting == Side::sender && Of.capacity != 0) RL_ASSERT(this->attempt(this->sending(0)) == Status::ok);
  }
  void thread(unsigned index) {
    if (index == 1) {
      const Status status = Waiting == Side::sender ? this->send(1) : this->recv(1);
      RL_ASSERT(status == (Way == By::shutdown ? Status::closed : Status::interrupted));
      return;
    }
    if (Way == By::shutdown) return this->channels[0]->shutdown(false);
    this->exiting.store(true, memory_order_seq_cst);  // as EndpointOwner::begin_exit or Process::begin_exit
    Way == By::exit_of_process ? this->channels[0]->nudge() : this->nudge(1, Waiting);
  }
};

// One receiver stays; the other is cancelled or may time out at any moment. There is one item, and a second one only if
// the receiver that leaves got the first: the one that stays must get an item.
template <bool Timed, ChannelKind Of = 1>
struct OneStays : WithChannel<OneStays<Timed, Of>, 3, 2, 2, Of> {
  void thread(unsigned index) {
    if (index == 0) {
      this->send(0);
      if (!Timed) this->cancel(1, Side::receiver);
    } else if (index == 1) {
      if (this->recv(1, Timed ? Deadline::at(1) : Deadline::never()) == Status::ok) this->send(1);
    } else {
      RL_ASSERT(this->recv(2) == Status::ok);
    }
  }
};

// The interpreter of a waiting call is being finalized: the call is interrupted.
template <ChannelKind Of>
struct Exiting : WithChannel<Exiting<Of>, 3, 1, 1, Of> {
  void thread(unsigned index) {
    if (index == 0) {
      this->exiting.store(true, memory_order_seq_cst);  // as EndpointOwner::begin_exit
      this->nudge(1, Side::receiver);
      this->nudge(2, Side::sender);
    } else if (index == 1) {
      const Status status = this->recv(1);
      RL_ASSERT(status == Status::ok || status == Status::interrupted);
    } else {
      const Status status = this->send(2);
      RL_ASSERT(status == Status::ok || status == Status::interrupted);
    }
  }
};

}  // namespace
}  // namespace model
}  // namespace xichan::internal
