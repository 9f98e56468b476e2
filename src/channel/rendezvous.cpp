// Rendezvous: a channel without a ring, where a send completes when a receiver has the value.
//
// The wait lists are the queue. An acting call is in no list: under the channel's one lock it decides the state of the
// first waiter of the other side and transfers the value. Two calls that enlist one after the other cannot miss each
// other, because `enlist` makes the second one try again when it finds the first in the list.
// Progress: a short lock.
#include "channel/channel.h"

namespace xichan::internal {

Status Channel::meet(Side side, Cell& cell, std::uint64_t& at) noexcept {
  // Without a waiting peer no lock is taken, which a stopped thread may hold. A channel that is not closed now was not
  // closed either when there was no peer. If it is closed from here on, this call may still meet a peer: both calls
  // began before the close, and so their meeting counts as before it (H2).
  const bool has_peers = waiters(other(side)).has_attention();
  if (ring_.is_closed()) return Status::closed;
  if (!has_peers) return side == Side::sender ? Status::full : Status::empty;
  Wake wake;
  {
    std::lock_guard guard(waiters_lock_);
    WaitList& peers = waiters(other(side));
    WaitNode* peer = peers.first();
    at = met_.load(memory_order_relaxed);
    for (bool done = false; !done;) {
      while (peer != nullptr && !peer->waiter->can_transfer(*peer)) peer = WaitList::next(*peer);
      if (peer == nullptr) return side == Side::sender ? Status::full : Status::empty;
      WaitNode& node = *peer;
      peer = WaitList::next(*peer);
      // Access the packet before the decision, after which the node may no longer exist.
      const Packet offered = node.packet;
      node.met = at;
      if (side == Side::sender) node.packet = to_packet(cell);
      peers.unlink(node);
      done = node.waiter->transfer(node, wake);
      if (done && side == Side::receiver) cell = to_cell(offered);
    }
    met_.store(at + 1, memory_order_relaxed);
  }
  wake.perform();
  return Status::ok;
}

bool Channel::enlist_to_meet(Side side, WaitNode& node) noexcept {
  WaitList& peers = waiters(other(side));
  {
    std::lock_guard guard(waiters_lock_);
    waiters(side).link(node);
    arrivals_[static_cast<unsigned>(side)].fetch_add(1, memory_order_seq_cst);  // before a peer can find the node
    if (ring_.is_closed()) return true;
    for (WaitNode* peer = peers.first(); peer != nullptr; peer = WaitList::next(*peer)) {
      // A select must not meet itself.
      if (peer->waiter != node.waiter && peer->waiter->can_transfer(*peer)) return true;
    }
  }
  // No peer can be served directly. If this waiter can be, notify a coroutine that waits, so that it acts. One that
  // enlists from here on finds this waiter.
  if (node.waiter->can_transfer(node)) peers.notify_one_except(*node.waiter);
  return false;
}

}  // namespace xichan::internal
