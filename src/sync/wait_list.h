// Lists of waiters, each with its own futex word or event loop: the one place that implements sleeping and waking.
//
// Algorithm: an event count with a list of waiters instead of a sequence number, so that every wake-up is a token that
// one waiter holds and can pass on. Progress: a wake-up without waiters is one load; otherwise a short lock.
//
// Why no wake-up is lost: the waker publishes, then reads `count_`; the waiter adds itself to `count_`, then checks for
// the publication again. All four are sequentially consistent, so in their single total order either the waker sees the
// waiter or the waiter sees the publication.
//
// Invariants
//   W1  a node is linked iff it counts in `count_`; both change under the lock.
//   W2  a thread that decides a waiter has unlinked that node before and does not access it afterwards.
//   W3  a notified waiter holds one wake token; it takes an item or passes the token on (notify_one).
//   W4  no node is linked while its thread attaches to an interpreter or returns.
//   W5  a node leaves its list only if its waiter is notified, cancelled or nudged, or was decided before, or if the
//       waiter removes it. A waiter that is not a call, such as a watched descriptor, reports each of these.
//   W6  no system call of a wake-up is made under the lock: wakes are collected, and performed after it is released.
#pragma once

#include <cstdint>

#include "base/atomic.h"
#include "sync/futex.h"
#include "sync/mutex.h"
#include "sync/waiter.h"
#include "xichan/export.h"

namespace xichan::internal {

/// Thread safety: any thread. Both lists of a channel share its lock.
class XICHAN_API WaitList {
  using Nodes = IntrusiveList<WaitNode, &WaitNode::hook>;

 public:
  explicit WaitList(Mutex& lock) noexcept : lock_(lock) { count_.store(0, memory_order_relaxed); }
  WaitList(const WaitList&) = delete;
  WaitList& operator=(const WaitList&) = delete;

  void add(WaitNode& node) noexcept {
    std::lock_guard guard(lock_);
    link(node);
  }
  /// Unlinks the node. Returns false if another thread did so before; the waiter is decided then.
  bool remove(WaitNode& node) noexcept;

  /// Gives one token to the longest-waiting undecided waiter. Costs one load when the list is empty.
  void notify_one() noexcept {
    if (count_.load(memory_order_seq_cst) != 0) decide_first();
  }
  /// As `notify_one`, but passes over `waiter`.
  void notify_one_except(const Waiter& waiter) noexcept;
  /// As `notify_one`, but passes over waiters for which `matches(node, context)`, called under the lock, returns false.
  void notify_one_if(bool (*matches)(WaitNode&, void*) noexcept, void* context) noexcept;
  void notify_all() noexcept;
  /// Makes the longest-waiting undecided waiter re-check all its conditions. Returns false if there is none.
  bool nudge_one() noexcept;
  /// Makes every waiter re-check all its conditions.
  void nudge_all() noexcept;
  /// The same for every waiter that waits on behalf of `owner`.
  void nudge_owner(const void* owner) noexcept;
  /// Cancels every waiter that waits on behalf of `owner`.
  void cancel_owner(const void* owner) noexcept;

  /// Makes `has_attention` true permanently, so that the publisher's one load also sends it to a slower check.
  void demand_attention() noexcept { count_.fetch_or(attention, memory_order_seq_cst); }
  /// Returns true if there is a waiter or attention is demanded. Sequentially consistent, see above.
  bool has_attention() const noexcept { return count_.load(memory_order_seq_cst) != 0; }
  bool demands_attention() const noexcept { return count_.load(memory_order_seq_cst) & attention; }

  std::uint32_t waiting() const noexcept { return count_.load(memory_order_relaxed) & ~attention; }

  // The caller must hold the lock.
  void forget_all() noexcept {  // in the child of a fork, where the waiting threads do not exist
    nodes_.clear();
    count_.store(0, memory_order_relaxed);
  }
  void link(WaitNode& node) noexcept { link_after(nodes_.last(), node); }
  /// Links the node behind those with a smaller ticket.
  void link_in_order(WaitNode& node) noexcept;
  void unlink(WaitNode& node) noexcept;
  WaitNode* first() const noexcept { return nodes_.first(); }
  static WaitNode* next(const WaitNode& node) noexcept { return Nodes::next(node); }

 private:
  static constexpr std::uint32_t attention = 1u << 31;
  using Decide = bool (Waiter::*)(WaitNode&, Wake&) noexcept;

  void link_after(WaitNode* before, WaitNode& node) noexcept;
  void decide_first() noexcept;
  template <class Matches>
  void decide(Decide decide, bool first_only, Matches matches) noexcept;

  atomic<std::uint32_t> count_;  // number of linked nodes | attention bit
  Mutex& lock_;
  Nodes nodes_;
};

}  // namespace xichan::internal
