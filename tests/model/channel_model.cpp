// Models of a channel with a ring (mpmc): traffic, closing, and dropped endpoints.
#include "channel_scenarios.h"

namespace xichan::internal {
namespace model {
namespace {

// Senders wait for a slot that is never freed, until the channel is shut down.
template <bool Immediate, ChannelKind Of = 1>
struct ShutdownFull : WithChannel<ShutdownFull<Immediate, Of>, 3, 3, 1, Of> {
  void thread(unsigned index) {
    if (index == 0) this->channels[0]->shutdown(Immediate);
    if (index != 0) {
      while (this->send(index) == Status::ok) {
      }
    }
    this->drop_endpoint(Side::sender);
  }
  void after() {
    this->drop_endpoint(Side::receiver);
    ShutdownFull::WithChannel::after();
  }
};

// Two receivers wait; the endpoint of one is closed while an item arrives. One of them receives it, or it stays queued.
struct Cancelled : WithChannel<Cancelled, 4, 2, 2, 1> {
  void thread(unsigned index) {
    if (index == 0) {
      send(0);
      drop_endpoint(Side::sender);
    } else if (index == 1) {
      cancel(2, Side::receiver);
      drop_endpoint(Side::sender);
    } else {
      const Status status = recv(index);
      RL_ASSERT(status == Status::ok || status == (index == 2 ? Status::end_closed : Status::closed) ||
                status == Status::closed);
      drop_endpoint(Side::receiver);
    }
  }
};

// Both last endpoints and a pin are dropped at the same time: the last of them destroys the channel, once.
struct LastHandle : WithChannel<LastHandle, 4, 1, 1, 2> {
  void begin() {
    WithChannel::begin();
    channels[0]->pin();
    channels[0]->pin();
    RL_ASSERT(attempt(sending(0)) == Status::ok);
  }
  void thread(unsigned index) {
    if (index == 0) drop_endpoint(Side::sender);
    if (index == 1) drop_endpoint(Side::receiver);
    if (index == 2) {
      poll(2);
      unpin();
    }
    if (index == 3) {
      if (channels[0]->try_add_endpoint(Side::receiver)) drop_endpoint(Side::receiver);
      unpin();
    }
  }
};

// An event loop watches the descriptor of a receiver, whose interpreter may also begin to exit, beside a call that
// waits. Each gets a message. The descriptor is closed while another sender may still be about to write to it.
template <bool Nudged>
struct Armed : WithChannel<Armed<Nudged>, 4, 3, 2, 3> {
  void thread(unsigned index) {
    if (index == 1 && Nudged) this->nudge(2, Side::receiver);
    if (index < 2) RL_ASSERT(this->send(index) == Status::ok);
    if (index == 2) {
      Readiness* const readiness = Readiness::create(*this->channels[0], Side::receiver,
                                                     &this->closed[static_cast<unsigned>(Side::receiver)][2]);
      const auto watch = [&] {
        auto& event = this->surroundings.event;
        event.readable.wait(false, false, $);
        RL_ASSERT(event.is_fresh);  // else the loop would go round in vain
        event.is_fresh = false;
      };
      watch();  // a new descriptor is readable if there is a message already
      while (this->poll(2) != Status::ok) {
        if (!readiness->arm(0)) watch();
      }
      Readiness::destroy(readiness);
    }
    if (index == 3) RL_ASSERT(this->recv(3) == Status::ok);
  }
};

// As Traffic, with messages in lines where there is room; one of the receivers gets blocks.
template <unsigned Senders, unsigned Receivers, std::uint64_t Capacity, int Items>
struct Lines
    : WithChannel<Lines<Senders, Receivers, Capacity, Items>, Senders + Receivers, Senders, Receivers, Capacity> {
  void thread(unsigned index) {
    constexpr int share = Senders * Items / Receivers;
    for (int i = 0; i < (index < Senders ? Items : share); ++i) {
      RL_ASSERT((index < Senders ? this->send_line(index) : recv(index)) == Status::ok);
    }
  }
  Status recv(unsigned index) {
    Line line;
    Case only = this->receiving(index);
    if (index != Senders) only.line = &line;
    return this->wait(only);
  }
};

// As Discarded, with messages in lines.
template <bool ByShutdown>
struct DiscardedLines : WithChannel<DiscardedLines<ByShutdown>, 3, 2, 1, 2> {
  void thread(unsigned index) {
    if (index == 2 && ByShutdown) this->channels[0]->shutdown(true);
    if (index == 2 && !ByShutdown) this->drop_endpoint(Side::receiver);
    if (index != 2) {
      while (this->send_line(index) == Status::ok) {
      }
    }
  }
  void after() {
    RL_ASSERT(this->channels[0]->size() == 0);
    this->drop_endpoint(Side::sender);
    this->drop_endpoint(Side::sender);
    if (ByShutdown) this->drop_endpoint(Side::receiver);
    DiscardedLines::WithChannel::after();
  }
};

}  // namespace
}  // namespace model
}  // namespace xichan::internal

int main(int argc, char** argv) {
  using namespace xichan::internal::model;
  using xichan::internal::Side;
  return xichan::internal::model::main(
      argc, argv,
      {
          {"traffic_1x1", random_search<Traffic<1, 1, 1, 2>>, 200'000},
          {"traffic_1x2", random_search<Traffic<1, 2, 2, 2>>, 150'000},
          {"traffic_1x2_narrow", random_search<Traffic<1, 2, 1, 2>>, 150'000},
          {"traffic_2x1_narrow", random_search<Traffic<2, 1, 1, 2>>, 150'000},
          {"traffic_2x1", random_search<Traffic<2, 1, 1, 1>>, 150'000},
          {"traffic_2x2", random_search<Traffic<2, 2, 1, 2>>, 100'000},
          {"traffic_2x2_wide", random_search<Traffic<2, 2, 2, 2>>, 100'000},
          {"traffic_2x2_once", random_search<Traffic<2, 2, 2, 1>>, 100'000},
          {"full_2x2", random_search<Full<2, 2>>, 200'000},
          {"last_sender_1x2", random_search<LastSender<1, 2, 1>>, 150'000},
          {"last_sender_2x2", random_search<LastSender<2, 2, 2>>, 100'000},
          {"last_receiver_1x1", random_search<LastReceiver<1, 1, 1>>, 200'000},
          {"last_receiver_2x2", random_search<LastReceiver<2, 2, 2>>, 100'000},
          {"shutdown_drain", random_search<Shutdown<false>>, 150'000},
          {"shutdown_immediate", random_search<Shutdown<true>>, 150'000},
          {"drained_1x2", random_search<Drained<1, 2, 1>>, 150'000},
          {"shutdown_full", random_search<ShutdownFull<false>>, 150'000},
          {"shutdown_full_immediate", random_search<ShutdownFull<true>>, 100'000},
          {"discarded", random_search<Discarded<false, 2>>, 150'000},
          {"discarded_by_shutdown", random_search<Discarded<true, 2>>, 150'000},
          {"alone_recv_shutdown", random_search<Alone<By::shutdown, Side::receiver, 1>>, 100'000},
          {"alone_send_shutdown", random_search<Alone<By::shutdown, Side::sender, 1>>, 100'000},
          {"alone_recv_exiting", random_search<Alone<By::exit_of_owner, Side::receiver, 1>>, 100'000},
          {"alone_send_exiting", random_search<Alone<By::exit_of_owner, Side::sender, 1>>, 100'000},
          {"alone_recv_process_exits", random_search<Alone<By::exit_of_process, Side::receiver, 1>>, 100'000},
          {"alone_send_process_exits", random_search<Alone<By::exit_of_process, Side::sender, 1>>, 100'000},
          {"cancelled", random_search<Cancelled>, 150'000},
          {"cancelled_and_stays", random_search<OneStays<false>>, 150'000},
          {"timed_and_stays", random_search<OneStays<true>>, 150'000},
          {"last_handle", random_search<LastHandle>, 300'000},
          {"lines_1x1", random_search<Lines<1, 1, 1, 3>>, 150'000},
          {"lines_2x1", random_search<Lines<2, 1, 2, 2>>, 100'000},
          {"lines_2x2", random_search<Lines<2, 2, 1, 2>>, 150'000},
          {"lines_discarded", random_search<DiscardedLines<false>>, 150'000},
          {"lines_discarded_by_shutdown", random_search<DiscardedLines<true>>, 150'000},
          {"exiting", random_search<Exiting<1>>, 150'000},
          {"armed", random_search<Armed<false>>, 150'000},
          {"armed_exiting", random_search<Armed<true>>, 150'000},
      });
}
