#include "sync/wait_list.h"

namespace xichan::internal {

void WaitList::link(WaitNode& node) noexcept {
  nodes_.push_back(node);
  node.linked = true;
  count_.fetch_add(1, memory_order_seq_cst);
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

void WaitList::decide_first(Decide decide) noexcept {
  Wake wake = nullptr;
  {
    std::lock_guard guard(lock_);
    while (WaitNode* first = nodes_.first()) {
      WaitNode& node = *first;
      unlink(node);
      if ((node.waiter->*decide)(node, wake)) break;
    }
  }
  if (wake != nullptr) futex_wake(wake);
}

void WaitList::decide_all(Decide decide) noexcept {
  // One at a time, to make the system calls outside the lock. A waiter that is not in this count joined after the event
  // (both are sequentially consistent) and sees the event when it checks again.
  const std::uint32_t waiters = count_.load(memory_order_seq_cst) & ~attention;
  for (std::uint32_t i = 0; i < waiters; ++i) decide_first(decide);
}

void WaitList::cancel_owner(const void* owner) noexcept {
  for (;;) {
    Wake wake = nullptr;
    {
      std::lock_guard guard(lock_);
      WaitNode* node = nodes_.first();
      while (node != nullptr && node->owner != owner) node = Nodes::next(*node);
      if (node == nullptr) return;
      unlink(*node);
      node->waiter->cancel(*node, wake);
    }
    if (wake != nullptr) futex_wake(wake);
  }
}

}  // namespace xichan::internal
