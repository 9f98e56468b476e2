#include "sync/wait_list.h"

namespace xichan::internal {

void WaitList::link_after(WaitNode* before, WaitNode& node) noexcept {
  nodes_.insert_after(before, node);
  node.linked = true;
  count_.fetch_add(1, memory_order_seq_cst);
}

void WaitList::link_in_order(WaitNode& node) noexcept {
  WaitNode* before = nodes_.last();
  while (before != nullptr && before->ticket > node.ticket) before = Nodes::previous(*before);
  link_after(before, node);
}

void WaitList::unlink(WaitNode& node) noexcept {
  nodes_.remove(node);
  node.linked = false;
  count_.fetch_sub(1, memory_order_seq_cst);
}

bool WaitList::remove(WaitNode& node) noexcept {
  std::lock_guard guard(lock_);
  if (!node.linked) return false;
  unlink(node);
  return true;
}

// Decides the nodes that match, oldest first: all of them, or until one waiter accepts. In several rounds if they do
// not fit into a batch, but no more nodes than were linked in the first: a waiter that joins later sees the event when
// it checks again. So does one that returns to its place in line between two rounds, before those that are left.
template <class Matches>
void WaitList::decide(Decide decision, bool first_only, Matches matches) noexcept {
  // Without waiters no lock is taken, which a stopped thread may hold. As in `notify_one`, the load is sequentially
  // consistent: a waiter that joins later sees the event.
  if ((count_.load(memory_order_seq_cst) & ~attention) == 0) return;
  WakeBatch wakes;
  std::uint32_t left = 0;
  std::uint64_t passed = 0;  // the ticket of the last node visited
  for (bool first_round = true; first_round || left != 0; first_round = false) {
    {
      std::lock_guard guard(lock_);
      if (first_round) left = waiting();
      WaitNode* next = nodes_.first();
      while (left != 0 && !wakes.is_full()) {
        if (next == nullptr) {
          left = 0;
          break;
        }
        WaitNode& node = *next;
        next = Nodes::next(node);
        if (passed != 0 && node.ticket <= passed) continue;
        passed = node.ticket;
        if (!matches(node)) continue;
        --left;
        unlink(node);
        if ((node.waiter->*decision)(node, wakes.add()) && first_only) left = 0;
      }
    }
    wakes.perform();
  }
}

void WaitList::decide_first() noexcept {
  decide(&Waiter::notify, true, [](const WaitNode&) noexcept { return true; });
}

void WaitList::notify_one_except(const Waiter& waiter) noexcept {
  decide(&Waiter::notify, true, [&](const WaitNode& node) noexcept { return node.waiter != &waiter; });
}

void WaitList::notify_one_if(bool (*matches)(WaitNode&, void*) noexcept, void* context) noexcept {
  decide(&Waiter::notify, true, [=](WaitNode& node) noexcept { return matches(node, context); });
}

void WaitList::notify_all() noexcept {
  decide(&Waiter::notify, false, [](const WaitNode&) noexcept { return true; });
}

bool WaitList::nudge_one() noexcept {
  Wake wake;
  bool is_nudged = false;
  {
    std::lock_guard guard(lock_);
    while (WaitNode* const node = is_nudged ? nullptr : nodes_.first()) {
      unlink(*node);
      is_nudged = node->waiter->nudge(*node, wake);
    }
  }
  wake.perform();
  return is_nudged;
}

void WaitList::nudge_all() noexcept {
  decide(&Waiter::nudge, false, [](const WaitNode&) noexcept { return true; });
}

void WaitList::nudge_owner(const void* owner) noexcept {
  decide(&Waiter::nudge, false, [=](const WaitNode& node) noexcept { return node.owner == owner; });
}

void WaitList::cancel_owner(const void* owner) noexcept {
  decide(&Waiter::cancel, false, [=](const WaitNode& node) noexcept { return node.owner == owner; });
}

}  // namespace xichan::internal
