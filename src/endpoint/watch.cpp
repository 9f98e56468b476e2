#include "endpoint/watch.h"

#include <algorithm>
#include <new>

#include "base/deadline.h"
#include "trace/trace.h"

namespace xichan::internal {

Notifier* Notifier::create() noexcept {
  EventDescriptor* event = EventDescriptor::create();
  if (event == nullptr) return nullptr;
  auto* notifier = new (std::nothrow) Notifier(*event);
  if (notifier == nullptr) event->release();
  return notifier;
}

void Notifier::release() noexcept {
  if (references_.fetch_sub(1, memory_order_acq_rel) == 1) delete this;
}

// The descriptor is written after the watch is in the list, and `collect` clears it before it reads the list: no
// decided watch stays behind an unreadable descriptor.
void Notifier::add(LoopWaiter& watch, Wake& wake) noexcept {
  std::lock_guard guard(lock_);
  watch.listed_ = true;
  decided_.push_back(watch);
  event_.retain();
  wake.event = &event_;
}

void Notifier::unlink(LoopWaiter& watch) noexcept {
  watch.listed_ = false;
  decided_.remove(watch);
}

void Notifier::remove(LoopWaiter& watch) noexcept {
  if (is_inherited()) return;
  std::lock_guard guard(lock_);
  if (watch.listed_) unlink(watch);
}

bool Notifier::first_key(std::uint64_t& key) noexcept {
  if (is_inherited()) return false;
  std::lock_guard guard(lock_);
  if (decided_.first() == nullptr) return false;
  key = decided_.first()->key_;
  return true;
}

// Does nothing if the watch was closed meanwhile. New watches are added at the back.
void Notifier::remove_first(std::uint64_t key) noexcept {
  std::lock_guard guard(lock_);
  LoopWaiter* const first = decided_.first();
  if (first != nullptr && first->key_ == key) unlink(*first);
}

const char* Watch::call_name(const WatchCase* cases, std::size_t count) noexcept {
  if (count != 1) return "aselect";
  const bool sends = cases[0].endpoint->side() == Side::sender;
  if (cases[0].until_closed) return sends ? "Sender.await_closed" : "Receiver.await_closed";
  return sends ? "Sender.asend" : "Receiver.arecv";
}

// Before the watch is enlisted, so that the thread that decides it finds it shown.
void Watch::show() noexcept {
  WaitTarget targets[most_wait_cases];
  const std::size_t listed = std::min(count_, most_wait_cases);
  for (std::size_t i = 0; i < listed; ++i) {
    targets[i] = wait_target(*cases_[i].channel, cases_[i].side, cases_[i].until_closed);
  }
  report_.show({targets, listed}, count_);
}

Watch* Watch::open(Notifier& notifier, EndpointOwner& owner, std::uint64_t key, WatchCase* cases, std::size_t count,
                   bool& ready, const WaitCaller& caller) noexcept {
  auto* watch = new (std::nothrow) Watch(notifier, key, cases, count, caller);
  if (watch == nullptr) {
    for (std::size_t i = 0; i < count; ++i) internal::release(cases[i].offer);
    delete[] cases;
    return nullptr;
  }
  notifier.retain();
  watch->owner_ = &owner;
  owner.add(*watch);
  for (std::size_t i = 0; i < count; ++i) {
    cases[i].number = i;
    cases[i].channel = cases[i].endpoint->channel();
    cases[i].side = cases[i].endpoint->side();
    cases[i].endpoint->enter();
  }
  watch->show();
  // By address, as in wait_any.
  std::sort(cases, cases + count, [](const WatchCase& a, const WatchCase& b) { return a.channel < b.channel; });
  if (is_traced()) watch->since_ = Deadline::now();
  ready = false;
  while (watch->enlisted_ < count && !ready) {
    WatchCase& c = cases[watch->enlisted_];
    c.node = {.waiter = watch,
              .owner = c.endpoint,
              .index = static_cast<std::uint32_t>(watch->enlisted_),
              .packet = to_packet(c.offer),
              .cost = c.cost,
              .kind = WaitKind::coroutine};
    ++watch->enlisted_;
    ready = c.until_closed ? c.channel->enlist_closing(c.node) : c.channel->enlist(c.side, c.node);
  }
  watch->has_waited_ = !ready;
  return watch;
}

// Called by a peer, under the lock of the channel's lists, before the watch can be freed: closing it delists every
// case, which takes the same lock.
bool Watch::decide(Outcome outcome, const WaitNode& node, Wake& wake) noexcept {
  if (!decision_.decide(outcome, node.index)) return false;
  report_.hide_shared();
  notifier_.add(*this, wake);
  return true;
}

Outcome Watch::close(std::size_t& number) noexcept {
  if (!closed_) {
    closed_ = true;
    report_.hide_shared();
    for (std::size_t i = 0; i < enlisted_; ++i) {
      WatchCase& c = cases_[i];
      if (c.channel->is_inherited()) continue;
      c.until_closed ? c.channel->delist_closing(c.node) : c.channel->delist(c.side, c.node);
    }
    notifier_.remove(*this);
    has_token_ = decision_.outcome() == Outcome::notified;
    if (is_traced()) [[unlikely]]
      trace();
    // The next attempt through this endpoint is the coroutine's. Another thread of the interpreter that comes between
    // passes a claim once.
    const WatchCase& c = decided_case();
    if (has_token_ && c.side == Side::sender) c.endpoint->lane().ticket.store(c.node.ticket, memory_order_relaxed);
  }
  number = decided_case().number;
  return decision_.outcome();
}

// Records the wait, and the message if a peer has transferred it.
void Watch::trace() const noexcept {
  const WatchCase& c = decided_case();
  if (c.channel->is_inherited()) return;
  const std::int64_t now = Deadline::now();
  if (since_ != 0 && has_waited_) {
    const TraceCall call = c.until_closed           ? TraceCall::wait_closed
                           : count_ != 1            ? TraceCall::select
                           : c.side == Side::sender ? TraceCall::send
                                                    : TraceCall::recv;
    Trace::record({.begin = since_,
                   .end = now,
                   .subject = c.channel->trace_subject(),
                   .count = static_cast<std::uint32_t>(count_),
                   .kind = TraceKind::coroutine_wait,
                   .call = call});
  }
  // On the thread the message was sent when it was offered: other calls have come since.
  if (since_ != 0 && decision_.outcome() == Outcome::transferred) {
    c.channel->trace(TraceKind::send, since_, c.node.met, 1, since_);
  }
}

void Watch::pass_token() noexcept {
  if (!has_token_) return;
  has_token_ = false;
  const WatchCase& c = decided_case();
  if (!c.channel->is_inherited() && !c.until_closed) c.channel->pass_token(c.side);  // wake-token rule (b)
}

void Watch::abandon() noexcept {
  std::size_t number;
  close(number);
  pass_token();
  release_endpoints();
}

// Releases the watch's endpoints, offers and owner. Afterwards only its memory is left.
void Watch::release_endpoints() noexcept {
  if (owner_ == nullptr) return;
  owner_->remove(*this);
  owner_ = nullptr;
  std::size_t number;
  const Outcome outcome = close(number);
  for (std::size_t i = 0; i < count_; ++i) {
    WatchCase& c = cases_[i];
    if (outcome != Outcome::transferred || c.number != number) internal::release(c.offer);
    if (c.side == Side::sender && c.node.ticket != 0) end_claim(c);
    c.channel->unpin();
    c.endpoint->leave();
  }
}

bool Watch::has_token_for_uneven_waiters() const noexcept {
  return has_token_ && decided_case().channel->has_uneven_waiters(decided_case().side);
}

void Watch::end_claim(WatchCase& c) noexcept {
  std::uint64_t mine = c.node.ticket;
  c.endpoint->lane().ticket.compare_exchange_strong(mine, 0, memory_order_relaxed, memory_order_relaxed);
  if (!c.channel->is_inherited()) c.channel->withdraw(c.node.ticket);
}

void Watch::destroy(Watch* watch, bool used) noexcept {
  std::size_t number;
  watch->close(number);
  if (!used || watch->has_token_for_uneven_waiters()) watch->pass_token();  // rules (b) and (d)
  watch->release_endpoints();
  watch->notifier_.release();
  delete watch;
}

}  // namespace xichan::internal
