// Models of coroutines that wait for a channel (src/api/async.cpp): calls that one thread begins and another one, which
// runs the loop, completes; calls that are destroyed meanwhile.
#include <coroutine>
#include <optional>

#include "xichan/async.h"

// After the standard library.
#include "channel_under_model.h"
#include "no_registry.h"

namespace xichan::internal {

// For the checker's history.
template <class T>
  requires(std::is_enum_v<T> && !std::is_convertible_v<T, int>)
std::ostream& operator<<(std::ostream& out, T value) {
  return out << static_cast<int>(value);
}

}  // namespace xichan::internal

#include "api/async.cpp"

namespace xichan {

Status Sender::send_nowait(Value&& value) noexcept {
  Cell& cell = ValueAccess::cell(value);
  const Status status = EndpointAccess::channel(*this)->try_send(cell, EndpointAccess::lane(*this));
  if (status == Status::ok) cell = Cell::none();
  return status;
}
Status Receiver::recv_nowait(Value& value) noexcept {
  return EndpointAccess::channel(*this)->try_recv(ValueAccess::cell(value), EndpointAccess::lane(*this));
}

namespace internal {
namespace model {
namespace {

// An endpoint or a value of the public interface, without its constructor and destructor.
template <class T>
struct Part {
  alignas(T) std::byte bytes[sizeof(T)] = {};
  T& get() { return *reinterpret_cast<T*>(bytes); }
};

// A coroutine that sends or receives one message.
struct Coroutine {
  Part<Sender> sender;
  Part<Receiver> receiver;
  Part<Value> value;
  const Side side;
  const std::uint64_t message;
  Notifier::Operation operation;

  Coroutine(Notifier& notifier, Channel& channel, Lane& lane, Side its_side, std::uint64_t its_message = 0)
      : side(its_side),
        message(its_message),
        operation(side == Side::sender ? notifier.send(open(sender, channel, lane), std::move(filled(its_message)))
                                       : notifier.recv(open(receiver, channel, lane), value.get())) {}

  template <class Endpoint>
  Endpoint& open(Part<Endpoint>& endpoint, Channel& channel, Lane& lane) {
    EndpointAccess::open(endpoint.get(), channel, lane);
    return endpoint.get();
  }
  Value& filled(std::uint64_t with) {
    ValueAccess::cell(value.get()) = Cell(with);
    return value.get();
  }
  std::coroutine_handle<> handle() { return std::coroutine_handle<>::from_address(this); }
  /// Begins the operation. Returns true if the coroutine is suspended: the loop may have resumed and destroyed it then.
  bool begin() { return !operation.await_ready() && operation.await_suspend(handle()); }
  std::uint64_t content() { return ValueAccess::cell(value.get()).word; }
};

// A channel, and a loop with some coroutines, each of which is destroyed when it is complete.
template <class Derived, unsigned Threads, unsigned Senders, unsigned Receivers, ChannelKind Of, unsigned Coroutines>
struct WithLoop : WithChannel<Derived, Threads, Senders, Receivers, Of> {
  std::optional<Notifier> notifier;
  Lane lanes[2];
  atomic<unsigned> left;      // coroutines that are not complete
  bool until_closed = false;  // a coroutine receives until the channel is closed

  void begin() {
    WithLoop::WithChannel::begin();
    left.store(Coroutines, memory_order_relaxed);
    notifier.emplace();
    RL_ASSERT(Notifier::make(*notifier) == Status::ok);
  }
  void after() {
    notifier.reset();
    WithLoop::WithChannel::after();
  }
  Coroutine* make(Side side, std::uint64_t message = 0) {
    if (side == Side::sender && message == 0) message = ++this->last_message;
    return new Coroutine(*notifier, *this->channels[0], lanes[static_cast<unsigned>(side)], side, message);
  }
  void start(Side side, std::uint64_t message = 0) {
    Coroutine* const coroutine = make(side, message);
    if (!coroutine->begin()) finish(*coroutine);
  }
  // Counts the message of a coroutine, and destroys it.
  void finish(Coroutine& coroutine) {
    const Status status = coroutine.operation.await_resume();
    RL_ASSERT(status == (count_of(coroutine) ? Status::ok : Status::closed));
    RL_ASSERT(status == Status::ok || until_closed);
    delete &coroutine;
    if (until_closed && status == Status::ok) return start(Side::receiver);
    if (left.fetch_sub(1, memory_order_seq_cst) == 1) this->surroundings.event.readable.set($);
  }
  // Returns true if the message was sent or received.
  bool count_of(Coroutine& coroutine) {
    const std::uint64_t content = coroutine.content();
    const std::uint64_t message = coroutine.side == Side::sender ? coroutine.message : content;
    if ((content == 0) != (coroutine.side == Side::sender)) return false;
    ++(coroutine.side == Side::sender ? this->accepted : this->received)[message];
    return true;
  }
  // Begins an operation and destroys it. Returns true if it was complete.
  bool start_and_destroy(Side side, std::uint64_t message = 0) {
    Coroutine* const coroutine = make(side, message);
    coroutine->begin();
    coroutine->operation.~Operation();
    const bool complete = count_of(*coroutine);
    ::operator delete(coroutine);
    return complete;
  }
  // The descriptor is not readable forever: few runs are in vain.
  void run_loop(bool throws = false) {
    for (int in_vain = 0; left.load(memory_order_seq_cst) != 0;) {
      this->surroundings.event.readable.wait(false, false, $);
      RL_ASSERT(++in_vain < 10);
      try {
        notifier->run([&](std::coroutine_handle<> handle) {
          finish(*static_cast<Coroutine*>(handle.address()));
          in_vain = 0;
          if (std::exchange(throws, false)) throw throws;
        });
      } catch (bool) {
      }
    }
  }
};

// A coroutine begins on a thread other than that of its loop, while its peer sends or receives.
template <Side Waits, ChannelKind Of>
struct BegunElsewhere : WithLoop<BegunElsewhere<Waits, Of>, 3, 1, 1, Of, 1> {
  void begin() {
    BegunElsewhere::WithLoop::begin();
    if (Waits == Side::sender && Of.capacity != 0) RL_ASSERT(this->attempt(this->sending(0)) == Status::ok);
  }
  void thread(unsigned index) {
    if (index == 0) RL_ASSERT((Waits == Side::sender ? this->recv(0) : this->send(0)) == Status::ok);
    if (index == 1) this->start(Waits);
    if (index == 2) this->run_loop();
  }
};

// Two coroutines and a thread receive; the messages are as many. The first coroutine that is resumed throws: the loop
// must learn of the other one again.
struct Shared : WithLoop<Shared, 4, 2, 3, 1, 2> {
  void thread(unsigned index) {
    if (index == 0) {
      for (int i = 0; i < 3; ++i) RL_ASSERT(send(0) == Status::ok);
    }
    if (index == 1) start(Side::receiver);
    if (index == 2) {
      start(Side::receiver);
      run_loop(true);
    }
    if (index == 3) RL_ASSERT(recv(3) == Status::ok);
  }
};

// Two coroutines and a thread receive until the channel is closed, whose endpoints stay open: the one that takes the
// last message wakes another, and so on (see Drained in channel_scenarios.h).
struct DrainedByBoth : WithLoop<DrainedByBoth, 4, 2, 3, 1, 2> {
  DrainedByBoth() { until_closed = true; }
  void thread(unsigned index) {
    if (index == 0) channels[0]->shutdown(false);
    if (index == 1) send(1);
    if (index == 2) {
      for (int i = 0; i < 2; ++i) start(Side::receiver);
      run_loop();
    }
    if (index == 3) {
      while (recv(3) == Status::ok) {
      }
    }
  }
};

// As Uneven in bytes_model.cpp: a coroutine with a heavy message and a thread with a light one.
struct UnevenSenders : WithLoop<UnevenSenders, 4, 3, 2, ChannelKind{Flavor::mpmc, 4, 3}, 1> {
  void begin() {
    WithLoop::begin();
    RL_ASSERT(attempt(sending_heavy(3)) == Status::ok);
    RL_ASSERT(attempt(sending(3)) == Status::ok);
  }
  void thread(unsigned index) {
    if (index == 0) {
      start(Side::sender, Cell::heavy);
      run_loop();
    }
    if (index == 1) RL_ASSERT(send(1) == Status::ok);
    if (index == 2 && attempt(sending(2)) == Status::ok) RL_ASSERT(recv(2) == Status::ok);
    if (index == 3) {
      for (int i = 0; i < 2; ++i) RL_ASSERT(recv(3) == Status::ok);
    }
  }
};

// A coroutine is destroyed while it waits: another receiver gets the message.
struct DestroyedReceiver : WithLoop<DestroyedReceiver, 3, 2, 2, 1, 0> {
  void thread(unsigned index) {
    if (index == 0) RL_ASSERT(send(0) == Status::ok);
    if (index == 1 && start_and_destroy(Side::receiver)) RL_ASSERT(send(1) == Status::ok);
    if (index == 2) RL_ASSERT(recv(2) == Status::ok);
  }
};

// A coroutine is destroyed while it offers its message to a receiver, which gets that one or another.
struct DestroyedSender : WithLoop<DestroyedSender, 2, 1, 1, 0, 0> {
  void thread(unsigned index) {
    if (index == 0) RL_ASSERT(recv(0) == Status::ok);
    if (index == 1 && !start_and_destroy(Side::sender)) RL_ASSERT(send(1) == Status::ok);
  }
};

// A coroutine is destroyed while it has a claim on bytes, which another sender waits for.
struct DestroyedClaim : WithLoop<DestroyedClaim, 2, 2, 2, ChannelKind{Flavor::mpmc, 4, 2}, 0> {
  void begin() {
    WithLoop::begin();
    RL_ASSERT(attempt(sending(1)) == Status::ok);
  }
  void thread(unsigned index) {
    if (index == 0) {
      RL_ASSERT(!start_and_destroy(Side::sender, Cell::heavy));
      return;
    }
    for (int i = 0; i < 3; ++i) {
      RL_ASSERT(send(1) == Status::ok);
      if (i != 2) RL_ASSERT(recv(1) == Status::ok);
    }
  }
};

}  // namespace
}  // namespace model
}  // namespace internal
}  // namespace xichan

int main(int argc, char** argv) {
  using namespace xichan::internal::model;
  using xichan::internal::Side;
  return xichan::internal::model::main(
      argc, argv,
      {
          {"receiver_begun_elsewhere", random_search<BegunElsewhere<Side::receiver, 1>>, 300'000},
          {"sender_begun_elsewhere", random_search<BegunElsewhere<Side::sender, 1>>, 200'000},
          {"meeting_receiver", random_search<BegunElsewhere<Side::receiver, 0>>, 200'000},
          {"meeting_sender", random_search<BegunElsewhere<Side::sender, 0>>, 200'000},
          {"shared", random_search<Shared>, 200'000},
          {"drained_by_both", random_search<DrainedByBoth>, 200'000},
          {"uneven_senders", random_search<UnevenSenders>, 200'000},
          {"destroyed_receiver", random_search<DestroyedReceiver>, 200'000},
          {"destroyed_sender", random_search<DestroyedSender>, 200'000},
          {"destroyed_claim", random_search<DestroyedClaim>, 200'000},
      });
}
