// Models of broadcast channels (src/state/broadcast.cpp): every subscription receives every message once, in one order,
// or learns how many it missed; a message is freed by its last user; no sender or receiver sleeps on.
#include "state_under_model.h"

// After the checker.
#include "slots_under_model.h"

namespace xichan::internal {

// Blocks from the checker's memory. The pointer before a block is that of the allocation: the body is aligned, although
// the checker's atomics have odd sizes.
struct Arena {
  static Status allocate(std::uint64_t bytes, unsigned, Block*& out) noexcept {
    void* const memory = ::operator new(sizeof(void*) + sizeof(Block) + bytes + 16);
    const auto body =
        (reinterpret_cast<std::uintptr_t>(memory) + sizeof(void*) + sizeof(Block) + 15) & ~std::uintptr_t{15};
    out = reinterpret_cast<Block*>(body) - 1;
    reinterpret_cast<void**>(out)[-1] = memory;
    return Status::ok;
  }
  static void discard(Block* block) noexcept;
};

}  // namespace xichan::internal

#include "state/broadcast.cpp"

namespace xichan::internal {

void Arena::discard(Block* block) noexcept {
  std::destroy_at(reinterpret_cast<BroadcastMessage*>(block + 1));
  ::operator delete(reinterpret_cast<void**>(block)[-1]);
}

namespace model {
namespace {

using Received = Subscription::Received;

template <class Derived, unsigned Threads, unsigned Capacity, bool Drops>
struct WithBroadcast : WithObject<Derived, Threads, BroadcastChannel> {
  BroadcastSender* sender;
  Subscription* subscriptions[2] = {};

  BroadcastChannel* make() {
    SlotMemory::header = 0;
    BroadcastChannel* channel;
    RL_ASSERT(BroadcastChannel::create(Capacity, Drops, channel) == Status::ok);
    sender = new BroadcastSender(*channel);
    StateObjects::add(*sender);
    return channel;
  }
  void begin() {
    WithBroadcast::WithObject::begin();
    static_cast<Derived*>(this)->fill();
  }
  void after() {
    for (Subscription* subscription : subscriptions) {
      if (subscription != nullptr) subscription->release();
    }
    if (sender != nullptr) sender->release();
    WithBroadcast::WithObject::after();
  }

  void subscribe(unsigned number) {
    subscriptions[number] = new Subscription(*this->object);
    StateObjects::add(*subscriptions[number]);
  }
  void unsubscribe(unsigned number) { std::exchange(subscriptions[number], nullptr)->release(); }

  BroadcastMessage* message(std::uint64_t value) {
    BroadcastMessage* made;
    ++this->surroundings.values;
    RL_ASSERT(BroadcastMessage::make(Cell(value), made) == Status::ok);
    return made;
  }
  // Returns false if the ring is full.
  bool try_send(std::uint64_t value) {
    BroadcastMessage* const made = message(value);
    const Status status = this->object->try_send(made);
    if (status != Status::ok) BroadcastMessage::free(made);
    return status == Status::ok;
  }
  void send(std::uint64_t value, bool sliced = false) {
    BroadcastMessage* const made = message(value);
    const Status status = this->object->try_send(made);
    if (status == Status::ok) return;
    RL_ASSERT(status == Status::full && !Drops);
    Request request = BroadcastChannel::send_request(made);
    RL_ASSERT(this->wait(*this->object, request, Deadline::never(), sliced) == Status::ok);
    RL_ASSERT(static_cast<Status>(request.answer) == Status::ok);
    // Without subscribers, or one that was replaced.
    if (request.subject != nullptr) BroadcastMessage::free(static_cast<BroadcastMessage*>(request.subject));
  }

  static constexpr std::uint64_t empty = 0, closed = 100, lagged = 1000;  // plus the number of messages

  std::uint64_t try_receive(unsigned number) {
    Subscription& subscription = *subscriptions[number];
    for (;;) {
      BroadcastMessage* found;
      const std::uint64_t next = subscription.next();
      std::uint64_t to;
      switch (subscription.look(found, to)) {
        case Received::empty: return empty;
        case Received::closed: return closed;
        case Received::lagged:
          if (subscription.skip(next, to)) return lagged + to - next;
          break;
        case Received::message: {
          const std::uint64_t value = found->cell.word;
          const bool taken = subscription.take(found);
          BroadcastMessage::leave(found);
          if (taken) return value;
        }
      }
    }
  }
  std::uint64_t receive(unsigned number, bool sliced = false) {
    for (;;) {
      const std::uint64_t found = try_receive(number);
      if (found != empty) return found;
      Request request = Subscription::request_of(subscriptions[number]->next());
      RL_ASSERT(this->wait(*this->object, request, Deadline::never(), sliced) == Status::ok);
      sliced = false;
    }
  }
};

// Two subscriptions receive what one sender sends, which waits for room.
struct Blocks : WithBroadcast<Blocks, 3, 1, false> {
  void fill() { subscribe(0), subscribe(1); }
  void thread(unsigned index) {
    if (index == 2) {
      for (std::uint64_t value = 1; value < 4; ++value) send(value, value == 2);
      return;
    }
    for (std::uint64_t value = 1; value < 4; ++value) RL_ASSERT(receive(index, index == 0) == value);
  }
};

// Two senders: both subscriptions receive the same order.
struct OneOrder : WithBroadcast<OneOrder, 4, 2, false> {
  std::uint64_t received[2][3];
  void fill() { subscribe(0), subscribe(1); }
  void thread(unsigned index) {
    if (index == 2) return send(1), send(2);
    if (index == 3) return send(3);
    for (std::uint64_t& value : received[index]) value = receive(index);
  }
  void after() {
    RL_ASSERT(std::equal(received[0], received[0] + 3, received[1]));
    RL_ASSERT(received[0][0] + received[0][1] + received[0][2] == 6);
    WithBroadcast::after();
  }
};

// The oldest messages are dropped: those that were received and those that were missed add up, in order.
template <unsigned Capacity>
struct Drops : WithBroadcast<Drops<Capacity>, 3, Capacity, true> {
  using Base = WithBroadcast<Drops<Capacity>, 3, Capacity, true>;
  void fill() { this->subscribe(0), this->subscribe(1); }
  void thread(unsigned index) {
    if (index == 2) {
      for (std::uint64_t value = 1; value < 5; ++value) RL_ASSERT(this->try_send(value));
      return;
    }
    for (std::uint64_t next = 1; next < 5;) {
      const std::uint64_t found = this->receive(index);
      next += found < Base::lagged ? 1 : found - Base::lagged;
      if (found < Base::lagged) RL_ASSERT(found == next - 1);
    }
  }
};

// A subscription that learns that it missed a message has seen the one that replaced it sent.
struct MissedAfterSent : WithBroadcast<MissedAfterSent, 2, 1, true> {
  void fill() {
    subscribe(0), subscribe(1);
    RL_ASSERT(try_send(1) && try_receive(1) == 1);
  }
  void thread(unsigned index) {
    if (index == 0) return static_cast<void>(try_send(2));
    if (try_receive(0) == lagged + 1) RL_ASSERT(try_receive(1) == 2);
  }
};

// The subscription that has messages left ends, and with it the wait of the sender.
struct Unsubscribes : WithBroadcast<Unsubscribes, 3, 1, false> {
  void fill() {
    subscribe(0), subscribe(1);
    RL_ASSERT(try_send(1));
  }
  void thread(unsigned index) {
    if (index == 0) return send(2), send(3);
    if (index == 1) return unsubscribe(0);
    RL_ASSERT(receive(1) == 1 && receive(1) == 2 && receive(1) == 3);
  }
};

// The last subscription ends while a sender waits: the message is dropped.
struct LastUnsubscribes : WithBroadcast<LastUnsubscribes, 2, 1, false> {
  void fill() {
    subscribe(0);
    RL_ASSERT(try_send(1));
  }
  void thread(unsigned index) {
    if (index == 0) return send(2);
    unsubscribe(0);
  }
  void after() {
    RL_ASSERT(surroundings.values == 0);
    WithBroadcast::after();
  }
};

// A subscription that begins in the middle receives all messages from then on.
struct Subscribes : WithBroadcast<Subscribes, 3, 2, false> {
  void fill() { subscribe(0); }
  void thread(unsigned index) {
    if (index == 0) return send(1), send(2), send(3);
    if (index == 1) {
      for (std::uint64_t value = 1; value < 4; ++value) RL_ASSERT(receive(0) == value);
      return;
    }
    subscribe(1);
    const std::uint64_t first = try_receive(1);
    if (first == 1 || first == 2) RL_ASSERT(receive(1) == first + 1);
    unsubscribe(1);
  }
};

// The sender closes: what was sent before is received, then the end. A call that waits ends as well.
struct Closes : WithBroadcast<Closes, 3, 2, false> {
  void fill() { subscribe(0), subscribe(1); }
  void thread(unsigned index) {
    if (index == 2) {
      send(1);
      return std::exchange(sender, nullptr)->release();
    }
    RL_ASSERT(receive(index) == 1 && receive(index) == closed && try_receive(index) == closed);
  }
};

// Two threads receive from one subscription: each message goes to one of them, in order.
template <bool Dropping>
struct Shared : WithBroadcast<Shared<Dropping>, 3, 2, Dropping> {
  using Base = WithBroadcast<Shared<Dropping>, 3, 2, Dropping>;
  std::uint64_t received = 0;
  void fill() { this->subscribe(0), this->subscribe(1); }
  void thread(unsigned index) {
    if (index == 2) {
      for (std::uint64_t value = 1; value < 5; ++value) {
        this->send(value);
        RL_ASSERT(this->try_receive(1) == value);
      }
      return std::exchange(this->sender, nullptr)->release();
    }
    for (std::uint64_t last = 0, found; (found = this->receive(0)) != Base::closed;) {
      if (found >= Base::lagged) {
        received += found - Base::lagged;
      } else {
        ++received;
        RL_ASSERT(found > last);
        last = found;
      }
    }
  }
  void after() {
    RL_ASSERT(received == 4);
    Base::after();
  }
};

// A thread that has received the second message knows that the first one was received, so there is room.
struct RoomAfterReceived : WithBroadcast<RoomAfterReceived, 2, 2, false> {
  void fill() {
    subscribe(0);
    RL_ASSERT(try_send(1) && try_send(2));
  }
  void thread(unsigned index) {
    if (index == 0) return static_cast<void>(try_receive(0));
    if (try_receive(0) == 2) RL_ASSERT(try_send(3));
  }
};

// Another thread asks for the sender while its last reference is released.
struct SenderFound : WithBroadcast<SenderFound, 2, 1, false> {
  void fill() { subscribe(0); }
  void thread(unsigned index) {
    if (index == 0) return std::exchange(sender, nullptr)->release();
    if (BroadcastSender* const found = object->sender()) {
      RL_ASSERT(try_send(1));
      found->release();
      RL_ASSERT(receive(0) == 1);
    }
    RL_ASSERT(receive(0) == closed);
  }
};

// The number of messages that are left, beside calls that send and receive.
struct Pending : WithBroadcast<Pending, 3, 2, false> {
  void fill() { subscribe(0); }
  void thread(unsigned index) {
    if (index == 0) return send(1), send(2), send(3);
    if (index == 1) {
      for (std::uint64_t value = 1; value < 4; ++value) RL_ASSERT(receive(0) == value);
      return;
    }
    RL_ASSERT(subscriptions[0]->pending() <= 3);
    RL_ASSERT(subscriptions[0]->pending() <= 3);
  }
};

// A call that waits for room, without sending yet.
struct Room : WithBroadcast<Room, 2, 1, false> {
  void fill() {
    subscribe(0);
    RL_ASSERT(try_send(1));
  }
  void thread(unsigned index) {
    if (index == 0) {
      RL_ASSERT(receive(0) == 1);
      return;
    }
    Request request = BroadcastChannel::room_request();
    RL_ASSERT(wait(*object, request) == Status::ok);
    RL_ASSERT(try_send(2));
  }
};

}  // namespace
}  // namespace model
}  // namespace xichan::internal

int main(int argc, char** argv) {
  using namespace xichan::internal::model;
  return xichan::internal::model::main(argc, argv,
                                       {
                                           {"blocks", random_search<Blocks>, 300'000},
                                           {"one_order", random_search<OneOrder>, 300'000},
                                           {"drops", random_search<Drops<1>>, 300'000},
                                           {"drops_of_two", random_search<Drops<2>>, 300'000},
                                           {"missed_after_sent", random_search<MissedAfterSent>, 100'000},
                                           {"unsubscribes", random_search<Unsubscribes>, 300'000},
                                           {"last_unsubscribes", random_search<LastUnsubscribes>, 100'000},
                                           {"subscribes", random_search<Subscribes>, 300'000},
                                           {"closes", random_search<Closes>, 300'000},
                                           {"shared", random_search<Shared<false>>, 300'000},
                                           {"shared_dropping", random_search<Shared<true>>, 300'000},
                                           {"room_after_received", random_search<RoomAfterReceived>, 100'000},
                                           {"sender_found", random_search<SenderFound>, 100'000},
                                           {"pending", random_search<Pending>, 100'000},
                                           {"room", random_search<Room>, 100'000},
                                       });
}
