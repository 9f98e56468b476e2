#include "state/broadcast.h"

#include <algorithm>
#include <new>

namespace xichan::internal {

Status BroadcastMessage::make(const Cell& cell, BroadcastMessage*& out) noexcept {
  Block* block;
  const Status status = Arena::allocate(sizeof(BroadcastMessage), 0, block);
  if (status == Status::ok) out = new (block->body()) BroadcastMessage(cell);
  return status;
}

void BroadcastMessage::free(BroadcastMessage* message) noexcept {
  internal::release(message->cell);
  Arena::discard(reinterpret_cast<Block*>(message) - 1);
}

BroadcastChannel::BroadcastChannel(Slot* slots, std::uint64_t capacity, bool drops_oldest) noexcept
    : Turnstile(StateKind::broadcast, Order::each), capacity_(capacity), drops_oldest_(drops_oldest), slots_(slots) {
  tail_.store(0, memory_order_relaxed);
  closed_.store(false, memory_order_relaxed);
}

Status BroadcastChannel::create(std::uint64_t capacity, bool drops_oldest, BroadcastChannel*& out) noexcept {
  void* const slots = RingMemory::allocate(capacity * sizeof(Slot));  // zero: all slots are empty
  if (slots == nullptr) return RingMemory::failure();
  out = new (std::nothrow) BroadcastChannel(static_cast<Slot*>(slots), capacity, drops_oldest);
  if (out != nullptr) return Status::ok;
  RingMemory::free(slots, capacity * sizeof(Slot));
  return Status::no_memory;
}

BroadcastChannel::~BroadcastChannel() {
  const std::uint64_t tail = tail_.load(memory_order_relaxed);
  for (std::uint64_t number = tail - std::min(tail, capacity_); number < tail; ++number) {  // D1: others are untouched
    bool is_last;
    BroadcastMessage* const message = slot(number).exchange(nullptr, 0, is_last);
    if (is_last) BroadcastMessage::free(message);
  }
  RingMemory::free(slots_, capacity_ * sizeof(Slot));
}

std::uint64_t BroadcastChannel::subscribers() noexcept {
  std::lock_guard guard(lock_);
  return subscribers_;
}

// Returns true if a subscription has not received the message that `number` would replace. The caller holds the lock.
// Looks at the slot sequentially consistently, as it is emptied: see Turnstile.
bool BroadcastChannel::is_full(std::uint64_t number) noexcept {
  if (slot(number).is_empty()) return false;
  const BroadcastPosition* position = subscriptions_.first();
  while (position != nullptr && position->next.load(memory_order_relaxed) + capacity_ > number) {
    position = subscriptions_.next(*position);
  }
  return position != nullptr;
}

// Stores the message, and in `unused` one that the caller frees, or null.
Status BroadcastChannel::publish(BroadcastMessage* message, BroadcastMessage*& unused) noexcept {
  unused = nullptr;
  std::lock_guard guard(lock_);
  const std::uint64_t number = tail_.load(memory_order_relaxed);
  if (is_closed()) return Status::closed;
  if (!drops_oldest_ && is_full(number)) return Status::full;
  if (subscribers_ == 0) {
    unused = message;
    return Status::ok;
  }
  XICHAN_PLAIN(message->number) = number;
  message->left.store(subscribers_, memory_order_relaxed);
  bool is_last;
  BroadcastMessage* const old = slot(number).exchange(message, 0, is_last);
  if (is_last) unused = old;
  // (41) release, with (42): the message is in its slot. Sequentially consistent, as in Turnstile.
  tail_.store(number + 1, memory_order_seq_cst);
  return Status::ok;
}

Status BroadcastChannel::try_send(BroadcastMessage* message) noexcept {
  BroadcastMessage* unused;
  const Status status = publish(message, unused);
  if (unused != nullptr) BroadcastMessage::free(unused);
  if (status == Status::ok) changed();
  return status;
}

void BroadcastChannel::close() noexcept {
  {
    std::lock_guard guard(lock_);
    sender_ = nullptr;
    closed_.store(true, memory_order_seq_cst);
  }
  changed();
}

BroadcastSender* BroadcastChannel::sender() noexcept {
  std::lock_guard guard(lock_);
  return sender_ != nullptr && sender_->try_retain() ? sender_ : nullptr;
}

// A sender that never returns releases what it has not sent.
void BroadcastChannel::give_up(Request& request) noexcept {
  if (request.hash == to_send && request.subject != nullptr) {
    BroadcastMessage::free(static_cast<BroadcastMessage*>(request.subject));
  }
}

// Counts a message as received by one subscription. The caller has entered it.
void BroadcastChannel::received(BroadcastMessage* message) noexcept {
  // relaxed: it only counts; the count of the snapshot is what its memory waits for.
  if (message->left.fetch_sub(1, memory_order_relaxed) != 1) return;
  if (slot(XICHAN_PLAIN(message->number)).take(message)) changed();  // D2, D3: there is room
}

bool BroadcastChannel::admit(Request& request) noexcept {
  if (request.hash == to_receive) return is_closed() || tail_.load(memory_order_seq_cst) != request.wanted;
  if (request.hash == for_room) {
    std::lock_guard guard(lock_);
    return is_closed() || !is_full(tail_.load(memory_order_relaxed));
  }
  auto* const message = static_cast<BroadcastMessage*>(request.subject);
  // The sender frees it, because no lock may be held: the message itself, without subscribers, or one that it replaced.
  BroadcastMessage* unused;
  const Status status = publish(message, unused);
  if (status == Status::full) return false;
  request.answer = static_cast<std::uint64_t>(status);
  if (status == Status::ok) {
    request.subject = unused;
    if (unused != message) admit_more();
  }
  return true;
}

Subscription::Subscription(BroadcastChannel& channel) noexcept
    : StateObject(StateKind::broadcast_receiver), channel_(channel) {
  channel.retain();
  std::lock_guard guard(channel.lock_);
  ++channel.subscribers_;
  channel.subscriptions_.push_back(position_);
  position_.next.store(channel.tail_.load(memory_order_relaxed), memory_order_relaxed);
}

Subscription::~Subscription() {
  std::uint64_t end;
  {
    std::lock_guard guard(channel_.lock_);
    --channel_.subscribers_;
    channel_.subscriptions_.remove(position_);
    end = channel_.tail_.load(memory_order_relaxed);
  }
  for (std::uint64_t number = position_.next.load(memory_order_relaxed); number < end; ++number) {
    if (end - number > channel_.capacity_) {
      number = end - channel_.capacity_;  // those before were replaced
    }
    BroadcastMessage* const message = channel_.slot(number).enter();
    if (message == nullptr) continue;
    if (XICHAN_PLAIN(message->number) == number) channel_.received(message);
    BroadcastMessage::leave(message);
  }
  channel_.release();
}

Subscription::Received Subscription::look(BroadcastMessage*& next, std::uint64_t& out) noexcept {
  for (std::uint64_t number = position_.next.load(memory_order_relaxed);;) {
    const bool closed = channel_.is_closed();  // before the tail: what was sent before is received
    const std::uint64_t tail = channel_.tail_.load(memory_order_acquire);  // (42) acquire, with (41)
    if (number == tail) {
      out = number;
      return closed ? Received::closed : Received::empty;
    }
    BroadcastMessage* const message = channel_.slot(number).enter();
    if (message != nullptr && XICHAN_PLAIN(message->number) == number) {
      next = message;
      return Received::message;
    }
    // Another handle has taken it, or it was replaced, by a message that leaves none before `oldest`.
    std::uint64_t oldest = number;
    if (message != nullptr) {
      const std::uint64_t newest = XICHAN_PLAIN(message->number);
      BroadcastMessage::leave(message);
      oldest = newest + 1 - std::min(channel_.capacity_, newest + 1);
      // Its sender may not have moved the tail yet. The message is sent before this call finds what it replaced.
      std::uint64_t expected = newest;
      if (tail <= newest) {
        channel_.tail_.compare_exchange_strong(expected, newest + 1, memory_order_release, memory_order_relaxed);
      }
    }
    const std::uint64_t before = number;
    number = position_.next.load(memory_order_relaxed);  // an old one leads here again, or is refused by `skip`
    if (number != before || oldest <= before) continue;
    out = std::max(oldest, tail - std::min(tail, channel_.capacity_));
    return Received::lagged;
  }
}

bool Subscription::take(BroadcastMessage* message) noexcept {
  std::uint64_t number = XICHAN_PLAIN(message->number);
  const bool taken =
      position_.next.compare_exchange_strong(number, number + 1, memory_order_acq_rel, memory_order_relaxed);
  if (taken) channel_.received(message);
  return taken;
}

bool Subscription::skip(std::uint64_t from, std::uint64_t to) noexcept {
  return position_.next.compare_exchange_strong(from, to, memory_order_acq_rel, memory_order_relaxed);
}

std::uint64_t Subscription::pending() const noexcept {
  const std::uint64_t next = position_.next.load(memory_order_seq_cst);  // first: the tail is never before it
  return channel_.tail_.load(memory_order_seq_cst) - next;
}

}  // namespace xichan::internal
