// Sending on a channel with a byte bound (see byte_bound.h for the rules).
#include "channel/channel.h"

namespace xichan::internal {

Status Channel::try_send_bounded(const Cell& cell, Lane& lane, std::uint64_t ticket, std::uint64_t& at) noexcept {
  const std::uint64_t cost = cost_of(cell);
  if (cost > bytes_.max()) return Status::too_large;
  if (ticket == 0) ticket = lane.ticket.load(memory_order_relaxed);
  // A send that finds no slot must not reserve: try_any takes a reservation for progress of another thread.
  if (cost != 0 && !ring_.can_push()) return ring_.is_closed() ? Status::closed : Status::full;
  if (!bytes_.reserve(cost, ticket)) return ring_.is_closed() ? Status::closed : Status::full;
  const Status status = ring_.push_at(cell, at);
  if (status == Status::ok) {
    bytes_.note_accepted(cost, ticket);
    if (bytes_.is_claimed_by(ticket)) (void)end_claim(ticket);
    after_send();
  } else {
    bytes_.release(cost);
    // Another sender may have been refused because of the bytes that we reserved. If no slot is free either, the thread
    // that frees one wakes the senders.
    if (cost != 0) serve_senders();
  }
  return status;
}

bool Channel::enlist_bounded(WaitNode& node) noexcept {
  std::lock_guard guard(waiters_lock_);
  if (node.kind == WaitKind::thread) node.thread = current_thread();
  // A call that was interrupted, or was woken but could not proceed, returns to its place.
  if (node.ticket == 0) node.ticket = bytes_.new_ticket();
  not_full_.link_in_order(node);
  if (bytes_.is_claimed_by(node.ticket)) bytes_.set_may_lapse(node.kind == WaitKind::coroutine);
  if (ring_.is_closed()) return true;
  return can_proceed(node) && ring_.can_push();
}

// Called under the lock. A sender that lacks bytes gets the claim, if it is free.
bool Channel::can_proceed(WaitNode& node) noexcept {
  if (bytes_.admits(node)) return true;
  if (node.kind != WaitKind::hint) bytes_.offer_claim(node);
  return false;
}

void Channel::serve_senders() noexcept {
  if (!not_full_.has_attention() || !ring_.can_push()) return;
  not_full_.notify_one_if(
      [](WaitNode& node, void* channel) noexcept { return static_cast<Channel*>(channel)->can_proceed(node); }, this);
}

bool Channel::end_claim(std::uint64_t ticket) noexcept {
  std::lock_guard guard(waiters_lock_);
  if (!bytes_.is_claimed_by(ticket)) return false;
  bytes_.end_claim();
  return true;
}

void Channel::suspend(std::uint64_t ticket) noexcept {
  if (!bytes_.is_claimed_by(ticket)) return;
  {
    std::lock_guard guard(waiters_lock_);
    if (bytes_.is_claimed_by(ticket)) bytes_.set_may_lapse(true);
  }
  if (ring_.size() == 0) lapse_claim();  // receivers that wait already will not look again
}

void Channel::withdraw(std::uint64_t ticket) noexcept {
  if (bytes_.is_claimed_by(ticket) && end_claim(ticket)) serve_senders();
}

void Channel::withdraw_owner(const void* owner) noexcept {
  if (!bytes_.is_claimed()) return;
  {
    std::lock_guard guard(waiters_lock_);
    if (!bytes_.is_claimed_for(owner)) return;
    bytes_.end_claim();
  }
  serve_senders();
}

// A receiver has found the channel empty.
void Channel::lapse_claim() noexcept {
  {
    std::lock_guard guard(waiters_lock_);
    if (!bytes_.is_claimed() || !bytes_.may_lapse()) return;
    bytes_.end_claim();
  }
  serve_senders();
}

}  // namespace xichan::internal
