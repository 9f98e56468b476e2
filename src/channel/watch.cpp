#include "channel/watch.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <new>

namespace xichan {

Notifier* Notifier::create() noexcept {
  const int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (descriptor < 0) return nullptr;
  auto* notifier = new (std::nothrow) Notifier(descriptor);
  if (notifier == nullptr) ::close(descriptor);
  return notifier;
}

Notifier::~Notifier() { ::close(descriptor_); }

void Notifier::release() noexcept {
  if (references_.fetch_sub(1, memory_order_acq_rel) == 1) delete this;
}

void Notifier::add(Watch& watch) noexcept {
  LockGuard guard(lock_);
  watch.listed_ = true;
  watch.previous_decided_ = nullptr;
  watch.next_decided_ = first_;
  if (first_ != nullptr) first_->previous_decided_ = &watch;
  first_ = &watch;
  (void)eventfd_write(descriptor_, 1);  // under the lock, so that it precedes every `collect` that finds the watch
}

void Notifier::remove(Watch& watch) noexcept {
  LockGuard guard(lock_);
  if (!watch.listed_) return;
  watch.listed_ = false;
  (watch.previous_decided_ == nullptr ? first_ : watch.previous_decided_->next_decided_) = watch.next_decided_;
  if (watch.next_decided_ != nullptr) watch.next_decided_->previous_decided_ = watch.previous_decided_;
}

Watch* Notifier::take_first() noexcept {
  LockGuard guard(lock_);
  Watch* watch = first_;
  if (watch == nullptr) return nullptr;
  watch->listed_ = false;
  first_ = watch->next_decided_;
  if (first_ != nullptr) first_->previous_decided_ = nullptr;
  return watch;
}

void Notifier::clear() noexcept {
  eventfd_t ignored;
  (void)eventfd_read(descriptor_, &ignored);
}

Watch* Watch::open(Notifier& notifier, End& end, std::uint64_t key, const Cell& offer, bool& ready) noexcept {
  auto* watch = new (std::nothrow) Watch(notifier, end, key);
  if (watch == nullptr) {
    xichan::release(offer);
    return nullptr;
  }
  notifier.retain();
  end.enter();
  end.owner().link(*watch);
  watch->node_ = {.waiter = watch, .owner = &end, .index = 0, .cell = offer};
  ready = watch->channel_.enlist(watch->side_, watch->node_);
  return watch;
}

// Called by a peer, under the lock of the channel's lists, before the watch's own thread can free it: that thread
// delists first, which takes the same lock.
bool Watch::decide(State to) noexcept {
  std::uint32_t expected = waiting;
  if (!state_.compare_exchange_strong(expected, to, memory_order_acq_rel, memory_order_relaxed)) return false;
  notifier_.add(*this);
  return true;
}

Watch::State Watch::finish(bool used) noexcept {
  if (channel_.is_inherited()) {  // H5
    if (owner_ != nullptr) owner_->unlink(*this);
    return cancelled;
  }
  channel_.delist(side_, node_);
  const auto state = static_cast<State>(state_.load(memory_order_acquire));
  if (finished_) return state;
  finished_ = true;
  notifier_.remove(*this);
  if (state == notified && !used) channel_.pass_token(side_);  // wake-token rule (b)
  if (state != transferred) xichan::release(node_.cell);
  if (owner_ != nullptr) owner_->unlink(*this);
  channel_.unpin();
  notifier_.release();
  return state;
}

Watch::State Watch::close(Watch* watch, bool used) noexcept {
  const bool owner_is_here = watch->owner_ != nullptr;
  End& end = watch->end_;
  const State state = watch->finished_ ? cancelled : watch->finish(used);
  if (owner_is_here) end.leave();
  delete watch;
  return state;
}

}  // namespace xichan
