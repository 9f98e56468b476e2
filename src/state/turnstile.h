// Where calls wait until an object admits them: a lock that is free, a flag that is set, a value that has changed.
//
// Algorithm: a FIFO queue of waiters, and admission by the thread that makes it possible. A waiter is admitted under
// the lock of the queue, in its place: by the thread that releases a lock or changes a value, or by itself when it
// joins. So a thread that wakes up has what it waited for, and nothing that it could pass on or lose.
//
// Why no wake-up is lost: the object changes, then reads the number of waiters; a waiter joins, which changes that
// number, then asks the object. All four are sequentially consistent: either the change sees the waiter, or the waiter
// sees the change.
//
// Why no waiter starves: calls that find a waiter in the queue join it behind that one, so only calls that had looked
// before it joined can overtake it: once each.
//
// Invariants
//   T1  a node is in the queue iff its call waits and is not admitted; both change under the lock.
//   T2  `admit` of an object is called under the lock only, and what it takes belongs to the call of that node.
//   T3  no system call is made under the lock, and no value is released.
//
// Progress: a change without waiters costs one load; otherwise a short lock.
#pragma once

#include "page/wait_report.h"
#include "state/object.h"
#include "sync/thread_waiter.h"
#include "sync/wait_limits.h"
#include "xichan/status.h"

namespace xichan::internal {

struct WaitRecord;

/// What a call waits for, and its place in the queue. Belongs to the call and survives interruptions.
struct Request {
  std::uint64_t wanted = 0;             // what the object needs to decide; see each object
  WaitRecord* record = nullptr;         // of a call that is listed also while it is not in the queue; see wait_record.h
  std::uint64_t ticket = 0;             // place in the queue; 0 until it first waits
  void* subject = nullptr;              // likewise
  std::uint64_t hash = 0;               // likewise
  const atomic<bool>* ended = nullptr;  // set when the handle of the call is closed, before its owner is nudged
  std::uint64_t answer = 0;             // what the object stored when it admitted the call
};

/// A state object on which calls wait.
///
/// Thread safety: any thread.
class XICHAN_API Turnstile : public StateObject {
 public:
  /// Blocks until the call is admitted: `ok`, else `timeout | end_closed | interrupted`, and then it is not admitted.
  /// `end_closed` if `request.ended` is set. After `interrupted`, call it again with the same request, or give up.
  Status wait(Request& request, const WaitLimits& limits) noexcept;

  /// Lets a waiter that is not a thread join. Its node's `waiter` and `owner` are set. Returns true if it was admitted
  /// at once; it is not in the queue then.
  bool join(WaitNode& node, Request& request) noexcept;
  /// Removes the node of such a waiter from the queue, if it is there.
  void leave(WaitNode& node) noexcept { queue_.remove(node); }

  /// Returns true if a call has to join the queue.
  bool has_waiters() const noexcept { return queue_.has_attention(); }
  std::uint32_t waiting() const noexcept override { return queue_.waiting(); }

  void nudge(const void* owner) noexcept override { owner == nullptr ? queue_.nudge_all() : queue_.nudge_owner(owner); }

  /// Returns the name of the call that waits for an object of this kind.
  const char* call_name() const noexcept;
  /// Shows a wait for this object to readers of the page. Does nothing if it is shown already.
  void show(WaitReport& report) const noexcept;

  /// Releases what a request was admitted to, for a call that never returns. Any thread.
  virtual void withdraw(Request& request) noexcept;
  /// Ends a call that never returns, admitted or not: after `withdraw`, and not while it is in the queue.
  virtual void give_up(Request& request) noexcept;

 protected:
  /// Whether a call may be admitted while an older one in the queue is not.
  enum class Order : bool { first_in_first_out, each };

  Turnstile(StateKind kind, Order order) noexcept : StateObject(kind), order_(order) {}
  ~Turnstile() = default;

  /// Tries to admit a call, under the lock of the queue.
  virtual bool admit(Request& request) noexcept = 0;

  /// Admits those in the queue that can be, after the object has changed.
  void changed() noexcept {
    if (queue_.has_attention()) admit_waiting();
  }
  Mutex& lock() noexcept { return lock_; }
  /// For `admit`: what it did may let others in the queue be admitted.
  void admit_more() noexcept { admit_more_ = true; }

 private:
  static bool has_ended(const Request& request) noexcept;
  void admit_waiting() noexcept;

  const Order order_;
  Mutex lock_;
  WaitList queue_{lock_};
  std::uint64_t last_ticket_ = 0;  // guarded by the lock, as is:
  bool admit_more_ = false;
};

}  // namespace xichan::internal
