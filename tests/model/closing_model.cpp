// Models of how a channel ends: the error that is kept, waiting for the end, and sends that drop values.
#include "channel_scenarios.h"

namespace xichan::internal {
namespace model {
namespace {

constexpr std::uint64_t first_error = 50, second_error = 51;  // numbers that no message has

// What all closing scenarios check: each error is released once for each time that it was recorded, and all calls of a
// side that find the channel closed find the same outcome.
template <class Derived, unsigned Threads, unsigned Senders, unsigned Receivers, ChannelKind Of = 1>
struct Ends : WithChannel<Derived, Threads, Senders, Receivers, Of> {
  std::uint64_t seen[2] = {};  // by side; the lowest bit is set once seen, the error above it

  void look(Side side) {
    RL_ASSERT(this->channels[0]->is_closed());
    Cell error;
    const bool failed = this->channels[0]->error(side, error);
    RL_ASSERT(this->channels[0]->outcome(side, Status::closed) == (failed ? Status::failed : Status::closed));
    const std::uint64_t found = (failed ? error.word : 0) * 2 + 1;
    std::uint64_t& before = seen[static_cast<unsigned>(side)];
    RL_ASSERT(before == 0 || before == found);
    before = found;
  }
  std::uint64_t error_of(Side side) const { return seen[static_cast<unsigned>(side)] / 2; }
  void fail(Side side, std::uint64_t error) {
    this->channels[0]->fail(other(side), error);
    this->drop_endpoint(side);
  }
  void receive_to_the_end(unsigned index) {
    while (this->recv(index) == Status::ok) {
    }
    look(Side::receiver);
    this->drop_endpoint(Side::receiver);
  }
  void after() {
    Ends::WithChannel::after();
    for (const std::uint64_t error : {first_error, second_error}) {
      RL_ASSERT(this->surroundings.released[error] == given[error - first_error]);
    }
  }
  int given[2] = {};  // how often the channel took over an error
};

// Two senders fail, or one of them closes regularly after the other has failed: both receivers get one error.
template <bool BothFail>
struct SendersFail : Ends<SendersFail<BothFail>, 4, 2, 2> {
  void begin() {
    SendersFail::Ends::begin();
    this->given[0] = 1;
    this->given[1] = BothFail ? 1 : 0;
  }
  void thread(unsigned index) {
    if (index == 0) this->fail(Side::sender, first_error);
    if (index == 1) {
      RL_ASSERT(this->send(1) == Status::ok);
      BothFail ? this->fail(Side::sender, second_error) : this->drop_endpoint(Side::sender);
    }
    if (index >= 2) this->receive_to_the_end(index);
  }
  void after() {
    const std::uint64_t error = this->error_of(Side::receiver);
    RL_ASSERT(error == first_error || (BothFail && error == second_error));
    SendersFail::Ends::after();
  }
};

// A receiver fails, and is the last one, while a sender waits.
struct ReceiverFails : Ends<ReceiverFails, 2, 1, 1> {
  void begin() {
    Ends::begin();
    given[0] = 1;
    RL_ASSERT(attempt(sending(0)) == Status::ok);
  }
  void thread(unsigned index) {
    if (index == 1) return fail(Side::receiver, first_error);
    RL_ASSERT(send(0) == Status::closed);
    look(Side::sender);
    RL_ASSERT(error_of(Side::sender) == first_error);
    drop_endpoint(Side::sender);
  }
};

// A sender fails while another thread shuts the channel down, with an error or without: whatever a receiver finds
// first stays.
template <bool WithError>
struct FailsAndShutdown : Ends<FailsAndShutdown<WithError>, 4, 2, 2> {
  void begin() {
    FailsAndShutdown::Ends::begin();
    this->given[0] = 1;
    this->given[1] = WithError ? 2 - 1 : 0;
  }
  void thread(unsigned index) {
    if (index == 0) this->fail(Side::sender, first_error);
    if (index == 1) {
      WithError ? this->channels[0]->shutdown(false, second_error) : this->channels[0]->shutdown(false);
      this->look(Side::sender);
      RL_ASSERT(this->error_of(Side::sender) == (WithError ? second_error : 0));
      this->drop_endpoint(Side::sender);
    }
    if (index >= 2) this->receive_to_the_end(index);
  }
  void after() {
    RL_ASSERT(!WithError || this->error_of(Side::receiver) != 0);
    FailsAndShutdown::Ends::after();
  }
};

// An error replaces a shutdown without one, but no other error.
struct ShutdownTwice : Ends<ShutdownTwice, 2, 1, 1> {
  void begin() {
    Ends::begin();
    given[0] = given[1] = 1;
    channels[0]->shutdown(false);
  }
  void thread(unsigned index) { channels[0]->shutdown(true, index == 0 ? first_error : second_error); }
  void after() {
    look(Side::sender);
    look(Side::receiver);
    RL_ASSERT(error_of(Side::sender) != 0 && error_of(Side::receiver) != 0);
    Ends::after();
  }
};

// Calls wait until the channel is closed; messages pass meanwhile.
template <By Way, Side Waits>
struct WaitsClosed : WithChannel<WaitsClosed<Way, Waits>, 3, 2, 2, 1> {
  void thread(unsigned index) {
    auto& channel = *this->channels[0];
    if (index == 2) {
      RL_ASSERT(this->attempt(this->sending(2)) == Status::ok);
      this->poll(2);
      if (Way == By::shutdown) channel.shutdown(false);
      if (Way == By::cancel) {
        this->cancel(0, Waits);
        this->cancel(1, Waits);
      }
      if (Way == By::interrupt) {
        this->interrupts.fetch_add(1, memory_order_seq_cst);  // as EndpointOwner::interrupt_waits
        this->nudge(0, Waits);
        this->nudge(1, Waits);
      }
      if (Way == By::exit_of_process || Way == By::exit_of_owner) {
        this->exiting.store(true, memory_order_seq_cst);
        if (Way == By::exit_of_process) channel.nudge();
        if (Way == By::exit_of_owner) {
          this->nudge(0, Waits);
          this->nudge(1, Waits);
        }
      }
      if (Way == By::last_endpoint) {
        this->drop_endpoint(other(Waits));
        this->drop_endpoint(other(Waits));
      }
      return;
    }
    const atomic<bool>& end_closed = this->closed[static_cast<unsigned>(Waits)][index];
    const WaitLimits limits{Deadline::never(), Deadline::never(), &this->exiting, false, &this->interrupts, 0};
    const Status status = wait_closed(channel, Side::sender, end_closed, &end_closed, limits);
    constexpr bool exits = Way == By::exit_of_process || Way == By::exit_of_owner || Way == By::interrupt;
    RL_ASSERT(status == (Way == By::cancel ? Status::end_closed : exits ? Status::interrupted : Status::ok));
  }
};

// Two senders overtake each other in a channel that keeps the newest values, while a receiver takes one or not.
template <bool Receives, std::uint64_t Capacity, std::uint64_t Bytes = 0>
struct DropsOldest : WithChannel<DropsOldest<Receives, Capacity, Bytes>, 3, 2, 1,
                                 ChannelKind{Flavor::mpmc, Capacity, Bytes, Overflow::drop_oldest}> {
  static constexpr unsigned sends = 3;  // each

  void thread(unsigned index) {
    if (index == 2) {
      if (Receives) this->poll(2);
      return;
    }
    for (unsigned i = 0; i < sends; ++i) RL_ASSERT(this->attempt(this->sending(index)) == Status::ok);
  }
  void after() {
    const ChannelStats stats = this->channels[0]->stats();
    constexpr std::uint64_t bound = Bytes != 0 && Bytes < Capacity ? Bytes : Capacity;
    RL_ASSERT(stats.sent == 2 * sends && stats.depth <= bound);
    RL_ASSERT(stats.dropped + this->total(this->received) + stats.depth == stats.sent);
    RL_ASSERT(stats.received == static_cast<std::uint64_t>(this->total(this->received)));
    RL_ASSERT(stats.bytes == (Bytes == 0 ? 0 : stats.depth));
    if (!Receives) RL_ASSERT(stats.depth == bound);
    // The newest value is there unless it was received.
    RL_ASSERT(stats.depth != 0 || this->total(this->received) != 0);
    DropsOldest::WithChannel::after();
  }
};

// The channel is shut down meanwhile: what is not accepted keeps no bytes.
struct DropsUntilClosed
    : WithChannel<DropsUntilClosed, 2, 1, 1, ChannelKind{Flavor::mpmc, 3, 2, Overflow::drop_oldest}> {
  void thread(unsigned index) {
    if (index == 1) return channels[0]->shutdown(false);
    while (last_message < 3 && attempt(sending(0)) == Status::ok) {
    }
  }
  void after() {
    const ChannelStats stats = channels[0]->stats();
    RL_ASSERT(stats.bytes == stats.depth);
    WithChannel::after();
  }
};

// Two senders at a channel that keeps the oldest value: the other one is dropped.
struct DropsNewest : WithChannel<DropsNewest, 2, 2, 1, ChannelKind{Flavor::mpmc, 1, 0, Overflow::drop_newest}> {
  void thread(unsigned index) { RL_ASSERT(attempt(sending(index)) == Status::ok); }
  void after() {
    const ChannelStats stats = channels[0]->stats();
    RL_ASSERT(stats.sent == 2 && stats.dropped == 1 && stats.depth == 1);
    WithChannel::after();
  }
};

}  // namespace
}  // namespace model
}  // namespace xichan::internal

int main(int argc, char** argv) {
  using namespace xichan::internal;
  using namespace xichan::internal::model;
  return xichan::internal::model::main(
      argc, argv,
      {
          {"senders_fail", random_search<SendersFail<true>>, 100'000},
          {"one_sender_fails", random_search<SendersFail<false>>, 100'000},
          {"receiver_fails", random_search<ReceiverFails>, 100'000},
          {"fails_and_shutdown", random_search<FailsAndShutdown<false>>, 100'000},
          {"fails_and_shutdown_with_error", random_search<FailsAndShutdown<true>>, 100'000},
          {"shutdown_twice", random_search<ShutdownTwice>, 50'000},
          {"wait_sender_last", random_search<WaitsClosed<By::last_endpoint, Side::sender>>, 50'000},
          {"wait_receiver_last", random_search<WaitsClosed<By::last_endpoint, Side::receiver>>, 50'000},
          {"wait_shutdown", random_search<WaitsClosed<By::shutdown, Side::sender>>, 50'000},
          {"wait_cancelled", random_search<WaitsClosed<By::cancel, Side::receiver>>, 50'000},
          {"wait_exiting", random_search<WaitsClosed<By::exit_of_process, Side::sender>>, 50'000},
          {"wait_owner_exiting", random_search<WaitsClosed<By::exit_of_owner, Side::receiver>>, 50'000},
          {"wait_interrupted", random_search<WaitsClosed<By::interrupt, Side::receiver>>, 50'000},
          {"drops_oldest_1", random_search<DropsOldest<false, 1>>, 50'000},
          {"drops_oldest_2", random_search<DropsOldest<true, 2>>, 100'000},
          {"drops_oldest_1_received", random_search<DropsOldest<true, 1>>, 100'000},
          {"drops_oldest_bytes", random_search<DropsOldest<true, 3, 2>>, 100'000},
          {"drops_oldest_1_byte", random_search<DropsOldest<false, 3, 1>>, 100'000},
          {"drops_until_closed", random_search<DropsUntilClosed>, 50'000},
          {"drops_newest", random_search<DropsNewest>, 50'000},
      });
}
