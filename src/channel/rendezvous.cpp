// Rendezvous: a channel without a ring, where a send completes when a receiver has the value.
//
// The lists of waiters are the queue. Whoever acts is enlisted nowhere: it decides the state of the first waiter of the
// other side, under the channel's one lock, and the value changes hands. Two that enlist one after the other cannot
// miss each other, because the second finds the first in the list and is told to act.
// Progress: a short lock.
#include "channel/channel.h"

namespace xichan::internal {

Status Channel::meet(Side side, Cell& cell) noexcept {
  Wake wake = nullptr;
  {
    std::lock_guard guard(waiters_lock_);
    if (ring_.is_closed()) return Status::closed;
    WaitList& peers = waiters(other(side));
    WaitNode* peer = peers.first();
    for (bool done = false; !done;) {
      while (peer != nullptr && !peer->waiter->can_transfer(*peer)) peer = WaitList::next(*peer);
      if (peer == nullptr) return side == Side::sender ? Status::full : Status::empty;
      WaitNode& node = *peer;
      peer = WaitList::next(*peer);
      // Before the decision, because the node may be gone after it: what it offers, or what it is handed.
      const Packet offered = node.packet;
      if (side == Side::sender) node.packet = to_packet(cell);
      peers.unlink(node);
      done = node.waiter->transfer(node, wake);
      if (done && side == Side::receiver) cell = to_cell(offered);
    }
    met_.fetch_add(1, memory_order_relaxed);
  }
  if (wake != nullptr) futex_wake(wake);
  return Status::ok;
}

bool Channel::enlist_to_meet(Side side, WaitNode& node) noexcept {
  Wake wake = nullptr;
  {
    std::lock_guard guard(waiters_lock_);
    waiters(side).link(node);
    if (ring_.is_closed()) return true;
    WaitList& peers = waiters(other(side));
    for (WaitNode* peer = peers.first(); peer != nullptr; peer = WaitList::next(*peer)) {
      // A select never meets itself.
      if (peer->waiter != node.waiter && peer->waiter->can_transfer(*peer)) return true;
    }
    // Nobody can be served directly. If this one can, a coroutine that waits is told to come and take it, or to bring.
    if (!node.waiter->can_transfer(node)) return false;
    for (WaitNode* peer = peers.first(); peer != nullptr;) {
      WaitNode& told = *peer;
      peer = WaitList::next(*peer);
      if (told.waiter == node.waiter) continue;
      peers.unlink(told);
      if (told.waiter->notify(told, wake)) break;
    }
  }
  if (wake != nullptr) futex_wake(wake);
  return false;
}

}  // namespace xichan::internal
