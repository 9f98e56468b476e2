// Sleeping and waking, in one place: lists of waiters, each with a futex word of its own.
//
// Algorithm: an event count with a list of waiters instead of a sequence number, so that every wake-up is a token held
// by one waiter and can be passed on. Progress: a wake-up with nobody waiting is one load; else a short lock.
//
// Why no wake-up is lost. The waker publishes, then reads `count_`; the waiter adds itself to `count_`, then looks
// again at what would be published. All four are sequentially consistent, so in their single order either the waker
// sees the waiter or the waiter sees the publication.
//
// Invariants
//   W1  a node is linked iff it counts in `count_`; both change under the lock.
//   W2  a waiter's state leaves `waiting` exactly once, by compare-and-swap; who moves it to `notified` has unlinked
//       that node before and does not touch it afterwards.
//   W3  a notified waiter holds one wake token; it takes something or passes the token on (notify_one).
//   W4  no node is linked while its thread attaches to an interpreter or returns.
#pragma once

#include <cstdint>

#include "base/atomic.h"
#include "base/deadline.h"
#include "sync/futex.h"
#include "sync/mutex.h"

namespace xichan {

/// Who is to be woken once the lock is gone: an address that is only used as such (see futex_wake), or nobody.
using Wake = atomic<std::uint32_t>*;

/// One blocking operation: a parked thread, later also a select or an event loop.
class Waiter {
 public:
  /// Called under a list's lock: moves the operation from waiting to notified. False if it has been decided already.
  virtual bool notify(Wake& wake) noexcept = 0;
  /// Likewise, from waiting to cancelled: the end that it waits on was closed.
  virtual bool cancel(Wake& wake) noexcept = 0;

 protected:
  ~Waiter() = default;
};

/// A place in one list. Lives with its waiter; `owner` is the end on whose behalf it waits.
struct WaitNode {
  Waiter* waiter = nullptr;
  const void* owner = nullptr;
  WaitNode* previous = nullptr;
  WaitNode* next = nullptr;
  bool linked = false;
};

/// Thread safety: any thread. No lock may be held that a waiter's `notify` takes.
class XICHAN_API WaitList {
 public:
  WaitList() noexcept { count_.store(0, memory_order_relaxed); }
  WaitList(const WaitList&) = delete;
  WaitList& operator=(const WaitList&) = delete;

  void add(WaitNode& node) noexcept;

  /// Unlinks the node. False if somebody notified or cancelled it before: then it may hold a token.
  bool remove(WaitNode& node) noexcept;

  /// Hands one token to the longest waiting waiter that still wants it. Costs one load when nobody waits.
  void notify_one() noexcept {
    if (count_.load(memory_order_seq_cst) != 0) notify_first();
  }
  void notify_all() noexcept;

  /// Cancels every waiter that waits on behalf of `owner`.
  void cancel_owner(const void* owner) noexcept;

  /// Makes `has_attention` true for ever, so that the one load a publisher makes sends it to a slower check too.
  void demand_attention() noexcept { count_.fetch_or(attention, memory_order_seq_cst); }
  /// True if somebody waits or attention is demanded. Sequentially consistent, see above.
  bool has_attention() const noexcept { return count_.load(memory_order_seq_cst) != 0; }
  bool demands_attention() const noexcept { return count_.load(memory_order_seq_cst) & attention; }

  std::uint32_t waiting() const noexcept { return count_.load(memory_order_relaxed) & ~attention; }

 private:
  static constexpr std::uint32_t attention = 1u << 31;

  void notify_first() noexcept;
  void link(WaitNode& node) noexcept;
  void unlink(WaitNode& node) noexcept;

  atomic<std::uint32_t> count_;  // nodes linked, and the attention bit
  Mutex lock_;
  WaitNode* first_ = nullptr;
  WaitNode* last_ = nullptr;
};

/// A thread that sleeps on a futex word of its own.
class XICHAN_API ThreadWaiter final : public Waiter {
 public:
  enum State : std::uint32_t { waiting, notified, cancelled };

  ThreadWaiter() noexcept { state_.store(waiting, memory_order_relaxed); }

  bool notify(Wake& wake) noexcept override { return decide(notified, wake); }
  bool cancel(Wake& wake) noexcept override { return decide(cancelled, wake); }

  /// Back to waiting. Only while no node of this waiter is linked.
  void reset() noexcept { state_.store(waiting, memory_order_relaxed); }

  /// Sleeps until the state is decided, the deadline passes or a signal arrives. `woken` means decided.
  WaitResult park(Deadline deadline) noexcept;

  State state() const noexcept { return static_cast<State>(state_.load(memory_order_acquire)); }

 private:
  bool decide(State to, Wake& wake) noexcept {
    std::uint32_t expected = waiting;
    // (5) release, with the acquire in state() and park(): the list has let go of the node before its thread goes on.
    if (!state_.compare_exchange_strong(expected, to, memory_order_acq_rel, memory_order_relaxed)) return false;
    wake = &state_;
    return true;
  }

  atomic<std::uint32_t> state_;
};

}  // namespace xichan
