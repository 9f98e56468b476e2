// A channel whose messages each go to all subscribers.
//
// Algorithm: messages are numbered; number n lies in slot n mod capacity of a ring of SnapshotPointers. A subscription
// is a number, that of the next message it receives. A message counts the subscriptions that have not received it; the
// last one empties the slot. Sending locks, receiving does not: a receiver enters the message of its number, and takes
// it by moving its number on by compare-and-swap.
//
// A full ring blocks the sender, or replaces the oldest message. A subscription whose message was replaced finds a
// larger number in the slot: it goes on with the oldest message that is left, and reports how many it missed.
//
// Linearization: a send where `tail_` is moved past it, by its sender or a receiver that finds it; a receive at the
// compare-and-swap of its number, before which the receiver has read the message: a message that it cannot decode is
// not lost.
//
// Invariants
//   D1  tail_ is the number of the next message; a slot holds the message `n` only if n < tail_ <= n + capacity.
//   D2  `left` of a message is the number of subscriptions that existed when it was sent, have not received it, and
//       still exist. The one that takes it to 0 empties the slot, unless the message was replaced.
//   D3  a full ring is one whose slot for the next message holds one that a subscription has not received. A call that
//       is about to empty the slot does not make it full.
//
// Progress: receiving is lock-free; sending, subscribing and unsubscribing take a short lock. Thread safety: any
// thread.
#pragma once

#include "arena/ring_memory.h"
#include "state/snapshot.h"
#include "state/turnstile.h"
#include "value/message.h"

namespace xichan::internal {

class BroadcastSender;
class Subscription;

struct alignas(16) BroadcastMessage : Snapshot {
  explicit BroadcastMessage(const Cell& c) noexcept : cell(c) { left.store(0, memory_order_relaxed); }

  plain<std::uint64_t> number{};  // set when it is sent, as is `left`
  const Cell cell;
  atomic<std::uint64_t> left;

  /// Takes over the cell if the result is `ok`; else `arena_full | no_memory`.
  XICHAN_API static Status make(const Cell& cell, BroadcastMessage*& out) noexcept;
  /// Releases the cell and the memory. Not under a lock.
  XICHAN_API static void free(BroadcastMessage* message) noexcept;
  static void leave(BroadcastMessage* message) noexcept {
    if (SnapshotPointer<BroadcastMessage>::leave(message)) free(message);
  }
};

/// What a channel knows of a subscription.
struct BroadcastPosition {
  atomic<std::uint64_t> next;  // number of the message that it receives next
  ListHook<BroadcastPosition> hook;
};

class XICHAN_API BroadcastChannel final : public Turnstile {
 public:
  /// `ok | arena_full | no_memory`. The caller lists it next.
  static Status create(std::uint64_t capacity, bool drops_oldest, BroadcastChannel*& out) noexcept;

  std::uint64_t capacity() const noexcept { return capacity_; }
  bool drops_oldest() const noexcept { return drops_oldest_; }
  bool is_closed() const noexcept { return closed_.load(memory_order_seq_cst); }  // see Turnstile
  std::uint64_t subscribers() noexcept;

  /// Sends a message, which it takes over if `ok`; else `full` (only if it does not drop the oldest) or `closed`.
  Status try_send(BroadcastMessage* message) noexcept;
  /// Returns the request by which `wait` sends a message. Its answer is a Status, `ok` or `closed`. The caller frees
  /// what its subject points to afterwards, unless that is null: the message if it was not sent, or an older one.
  static Request send_request(BroadcastMessage* message) noexcept { return {.subject = message, .hash = to_send}; }
  /// Returns the request by which `wait` waits until the ring is not full.
  static Request room_request() noexcept { return {.hash = for_room}; }

  /// Returns the object of its senders, retained; null once it is closed.
  BroadcastSender* sender() noexcept;

  void give_up(Request& request) noexcept override;

 private:
  friend class BroadcastSender;
  friend class Subscription;
  using Slot = SnapshotPointer<BroadcastMessage>;

  BroadcastChannel(Slot* slots, std::uint64_t capacity, bool drops_oldest) noexcept;
  ~BroadcastChannel() override;

  static constexpr std::uint64_t to_receive = 1, to_send = 2, for_room = 3;  // Request::hash

  Status publish(BroadcastMessage* message, BroadcastMessage*& unused) noexcept;
  bool is_full(std::uint64_t number) noexcept;
  Slot& slot(std::uint64_t number) noexcept { return slots_[number % capacity_]; }
  void received(BroadcastMessage* message) noexcept;
  void close() noexcept;
  bool admit(Request& request) noexcept override;

  const std::uint64_t capacity_;
  const bool drops_oldest_;
  Slot* const slots_;
  alignas(cache_line) atomic<std::uint64_t> tail_;
  atomic<bool> closed_;
  Mutex lock_;  // of everything below, and of changes of `tail_`
  IntrusiveList<BroadcastPosition, &BroadcastPosition::hook> subscriptions_;
  std::uint64_t subscribers_ = 0;      // the length of the list
  BroadcastSender* sender_ = nullptr;  // not owned; null once it is being destroyed
};

/// The senders of a channel: its last reference closes the channel.
class XICHAN_API BroadcastSender final : public StateObject {
 public:
  explicit BroadcastSender(BroadcastChannel& channel) noexcept
      : StateObject(StateKind::broadcast_sender), channel_(channel) {
    channel.retain();
    channel.sender_ = this;  // no other thread knows the channel yet
  }
  ~BroadcastSender() override {
    channel_.close();
    channel_.release();
  }
  BroadcastChannel& channel() const noexcept { return channel_; }

 private:
  BroadcastChannel& channel_;
};

/// One subscriber. Several handles may receive from it: then each message goes to one of them.
class XICHAN_API Subscription final : public StateObject {
 public:
  explicit Subscription(BroadcastChannel& channel) noexcept;
  ~Subscription() override;
  BroadcastChannel& channel() const noexcept { return channel_; }

  enum class Received : std::uint8_t { message, lagged, empty, closed };
  /// Looks at the next message, and receives nothing yet. Stores the message, which the caller passes to
  /// BroadcastMessage::leave; or, if messages were dropped, the number of the oldest that is left; or, if it is empty,
  /// the number of the message to wait for.
  Received look(BroadcastMessage*& message, std::uint64_t& number) noexcept;
  /// Receives a message that `look` returned. Returns false if another handle has received it.
  bool take(BroadcastMessage* message) noexcept;
  /// Goes on with message `to`, after `look` has found those from `from`, which was `next()` before, dropped. Returns
  /// false if another handle has moved on.
  bool skip(std::uint64_t from, std::uint64_t to) noexcept;
  /// Returns the number of the message that it receives next.
  std::uint64_t next() const noexcept { return position_.next.load(memory_order_relaxed); }
  /// Returns the number of messages that it can receive now, those that were dropped included.
  std::uint64_t pending() const noexcept;
  /// Returns the request by which `wait` of the channel waits for a message with this number.
  static Request request_of(std::uint64_t number) noexcept {
    return {.wanted = number, .hash = BroadcastChannel::to_receive};
  }

 private:
  friend class BroadcastChannel;

  BroadcastChannel& channel_;
  BroadcastPosition position_;
};

}  // namespace xichan::internal
