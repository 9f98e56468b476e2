// The byte bound of a channel: the bytes of its queued messages, and the claim of the sender that waits for more of
// them than are free.
//
// A message reserves its bytes before it enters the ring. If too few are free its sender waits, and the oldest such
// sender has the claim. Up to `max` bytes of other messages may pass it; from then on the claim is firm: no message may
// take bytes that it needs. So a large message waits for at most twice the bound, and small ones use what is free
// meanwhile.
//
// Invariants
//   Y1  reserved bytes never exceed `max`.
//   Y2  at most one sender has the claim. It keeps it until its message is accepted or its call ends, also while it is
//       in no list: between a wake-up and its next attempt, and while signal handlers run.
//   Y3  a claim whose call runs other code (a signal handler, or an event loop before it resumes the coroutine) lapses
//       once a receiver finds the channel empty, and never binds the thread that has it.
//   Y4  whatever lets a waiting sender proceed (free bytes, a free slot, the end of a claim) is followed by
//       Channel::serve_senders in the same thread. It wakes the oldest sender that can proceed, and that one does so
//       again, whether or not it succeeds.
#pragma once

#include <cstdint>

#include "base/atomic.h"
#include "sync/current_thread.h"
#include "sync/waiter.h"

namespace xichan::internal {

/// Thread safety: any thread; the functions that need the lock of the wait lists say so.
class ByteBound {
 public:
  explicit ByteBound(std::uint64_t max) noexcept : max_(max) {}

  std::uint64_t max() const noexcept { return max_; }
  std::uint64_t reserved() const noexcept { return reserved_.load(memory_order_relaxed); }

  /// Reserves the bytes of a message. Returns false if they are not free, or claimed by a sender other than `ticket`.
  bool reserve(std::uint64_t bytes, std::uint64_t ticket) noexcept {
    if (bytes == 0) return true;
    const void* const thread = current_thread();
    std::uint64_t held = reserved_.load(memory_order_seq_cst);
    do {
      if (!admits(held, bytes, ticket, thread)) return false;
    } while (!reserved_.compare_exchange_weak(held, held + bytes, memory_order_seq_cst, memory_order_seq_cst));
    return true;
  }
  void release(std::uint64_t bytes) noexcept { reserved_.fetch_sub(bytes, memory_order_seq_cst); }

  /// Notes that a message has entered the ring. It may have passed the sender that has the claim.
  void note_accepted(std::uint64_t bytes, std::uint64_t ticket) noexcept {
    const std::uint64_t holder = holder_.load(memory_order_seq_cst);
    if (holder != 0 && holder != ticket) may_pass_.fetch_sub(static_cast<std::int64_t>(bytes), memory_order_seq_cst);
  }

  /// Returns true if the bytes of a waiting sender are free for it.
  bool admits(const WaitNode& node) const noexcept {
    return admits(reserved_.load(memory_order_seq_cst), node.cost, node.ticket, node.thread);
  }

  bool is_claimed() const noexcept { return holder_.load(memory_order_seq_cst) != 0; }
  bool is_claimed_by(std::uint64_t ticket) const noexcept {
    return ticket != 0 && holder_.load(memory_order_seq_cst) == ticket;
  }

  // Under the lock.
  std::uint64_t new_ticket() noexcept { return ++last_ticket_; }
  /// Gives the claim to a waiting sender that lacks bytes, unless another one has it.
  void offer_claim(const WaitNode& node) noexcept {
    if (is_claimed() || reserved_.load(memory_order_seq_cst) + node.cost <= max_) return;
    owner_ = node.owner;
    may_lapse_ = node.kind == WaitKind::coroutine;
    thread_.store(node.thread, memory_order_relaxed);
    claimed_.store(node.cost, memory_order_relaxed);
    may_pass_.store(static_cast<std::int64_t>(max_), memory_order_relaxed);
    holder_.store(node.ticket, memory_order_seq_cst);
  }
  /// Sets whether the call that has the claim is running other code (Y3).
  void set_may_lapse(bool may_lapse) noexcept { may_lapse_ = may_lapse; }
  bool may_lapse() const noexcept { return may_lapse_; }
  bool is_claimed_for(const void* owner) const noexcept { return is_claimed() && owner_ == owner; }
  /// Ends the claim. Followed by Channel::serve_senders (Y4).
  void end_claim() noexcept { holder_.store(0, memory_order_seq_cst); }

 private:
  bool admits(std::uint64_t held, std::uint64_t bytes, std::uint64_t ticket, const void* thread) const noexcept {
    if (bytes == 0) return true;
    if (held + bytes > max_) return false;
    const std::uint64_t holder = holder_.load(memory_order_seq_cst);
    if (holder == 0 || holder == ticket || thread_.load(memory_order_relaxed) == thread) return true;
    return may_pass_.load(memory_order_seq_cst) > 0 || held + bytes + claimed_.load(memory_order_relaxed) <= max_;
  }

  const std::uint64_t max_;
  atomic<std::uint64_t> reserved_{0};
  // The claim. Written under the lock; a sender that reads it at another moment is refused, or passes, once too often.
  atomic<std::uint64_t> holder_{0};      // ticket of the sender that has it, or zero
  atomic<std::uint64_t> claimed_{0};     // bytes that it needs
  atomic<std::int64_t> may_pass_{0};     // bytes of other messages that may still pass it
  atomic<const void*> thread_{nullptr};  // its thread; null for a coroutine
  const void* owner_ = nullptr;          // its endpoint; this and the next two are guarded by the lock
  bool may_lapse_ = false;
  std::uint64_t last_ticket_ = 0;
};

}  // namespace xichan::internal
