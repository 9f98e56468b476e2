// The byte bound of a channel: the bytes of its queued messages, and the claim of the sender that waits for more of
// them than are free.
//
// A message reserves its bytes before it enters the ring. If too few are free its sender waits, and the oldest such
// sender has the claim. Up to `max` bytes of other messages may pass it; from then on the claim is firm: no message may
// take bytes that it needs. So a large message waits for at most twice the bound, and small ones use what is free
// meanwhile.
//
// Invariants
//   Y1  reserved bytes never exceed `max`, except between `add` and the drops that follow it.
//   Y2  at most one sender has the claim. It keeps it until its message is accepted or its call ends, also while it is
//       in no list: between a wake-up and its next attempt, and while signal handlers run.
//   Y3  a claim whose call runs other code (a signal handler, or an event loop before it resumes the coroutine) lapses
//       once a receiver finds the channel empty, and never binds the thread that has it.
//   Y4  what ends the readiness of another sender (a reservation, the begin of a claim, bytes that pass a claim)
//       raises a number that never decreases, in one step; `version` is the sum of these numbers. (The count of claims
//       has 16 bits: a select would have to be stopped while exactly 65,536 claims begin.)
//   Y5  whatever lets a waiting sender proceed (free bytes, a free slot, the end of a claim) is followed by
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
  /// Returns the bytes of the queued messages.
  std::uint64_t held() const noexcept {
    std::uint64_t ignored;
    return held(ignored);
  }
  /// Returns a number for try_any: while it stays the same, a sender that can proceed remains able to (Y4).
  std::uint64_t version() const noexcept {
    return reserved_.load(memory_order_seq_cst) + passed_.load(memory_order_seq_cst) +
           (holder_.load(memory_order_seq_cst) >> ticket_bits);
  }

  /// Reserves the bytes of a message. Returns false if they are not free, or claimed by a sender other than `ticket`.
  bool reserve(std::uint64_t bytes, std::uint64_t ticket) noexcept {
    if (bytes == 0) return true;
    const void* const thread = current_thread();
    for (;;) {
      std::uint64_t reserved;
      if (!admits(held(reserved), bytes, ticket, thread)) return false;
      if (reserved_.compare_exchange_weak(reserved, reserved + bytes, memory_order_seq_cst, memory_order_relaxed)) {
        return true;
      }
    }
  }
  /// Reserves bytes even if they are not free: for a channel that drops older messages to make room.
  void add(std::uint64_t bytes) noexcept { reserved_.fetch_add(bytes, memory_order_seq_cst); }
  void release(std::uint64_t bytes) noexcept { released_.fetch_add(bytes, memory_order_seq_cst); }

  /// Notes that a message has entered the ring. It may have passed the sender that has the claim.
  void note_accepted(std::uint64_t bytes, std::uint64_t ticket) noexcept {
    const std::uint64_t holder = claimant();
    if (holder != 0 && holder != ticket) passed_.fetch_add(bytes, memory_order_seq_cst);
  }

  /// Returns true if the bytes of a waiting sender are free for it.
  bool admits(const WaitNode& node) const noexcept { return admits(held(), node.cost, node.ticket, node.thread); }

  bool is_claimed() const noexcept { return claimant() != 0; }
  bool is_claimed_by(std::uint64_t ticket) const noexcept { return ticket != 0 && claimant() == ticket; }

  // Under the lock.
  std::uint64_t new_ticket() noexcept { return ++last_ticket_; }
  /// Gives the claim to a waiting sender that lacks bytes, unless another one has it.
  void offer_claim(const WaitNode& node) noexcept {
    if (is_claimed() || held() + node.cost <= max_) return;
    owner_ = node.owner;
    may_lapse_ = node.kind == WaitKind::coroutine;
    thread_.store(node.thread, memory_order_relaxed);
    claimed_.store(node.cost, memory_order_relaxed);
    may_pass_.store(passed_.load(memory_order_relaxed) + max_, memory_order_relaxed);
    const std::uint64_t claims = holder_.load(memory_order_relaxed) >> ticket_bits;
    holder_.store((claims + 1) << ticket_bits | node.ticket, memory_order_seq_cst);
  }
  /// Sets whether the call that has the claim is running other code (Y3).
  void set_may_lapse(bool may_lapse) noexcept { may_lapse_ = may_lapse; }
  bool may_lapse() const noexcept { return may_lapse_; }
  bool is_claimed_for(const void* owner) const noexcept { return is_claimed() && owner_ == owner; }
  /// Ends the claim. Followed by Channel::serve_senders (Y5).
  void end_claim() noexcept { holder_.fetch_and(~ticket_mask, memory_order_seq_cst); }

 private:
  static constexpr unsigned ticket_bits = 48;
  static constexpr std::uint64_t ticket_mask = (std::uint64_t{1} << ticket_bits) - 1;

  std::uint64_t claimant() const noexcept { return holder_.load(memory_order_seq_cst) & ticket_mask; }

  // Returns the bytes that were reserved and not released at one moment, when `reserved` had been reserved in all.
  std::uint64_t held(std::uint64_t& reserved) const noexcept {
    for (;;) {
      reserved = reserved_.load(memory_order_seq_cst);
      const std::uint64_t released = released_.load(memory_order_seq_cst);
      if (reserved_.load(memory_order_seq_cst) == reserved) return reserved - released;
    }
  }

  bool admits(std::uint64_t held, std::uint64_t bytes, std::uint64_t ticket, const void* thread) const noexcept {
    if (bytes == 0) return true;
    if (held + bytes > max_) return false;
    const std::uint64_t holder = claimant();
    // A coroutine waits on no thread, so it shares none with the claim of another one.
    const bool is_own = thread != nullptr && thread_.load(memory_order_relaxed) == thread;
    if (holder == 0 || holder == ticket || is_own) return true;
    return passed_.load(memory_order_seq_cst) < may_pass_.load(memory_order_relaxed) ||
           held + bytes + claimed_.load(memory_order_relaxed) <= max_;
  }

  const std::uint64_t max_;
  // All bytes ever reserved and released. The difference is what queued messages hold.
  atomic<std::uint64_t> reserved_{0};
  atomic<std::uint64_t> released_{0};
  // The claim. Written under the lock; a sender that reads it without the lock may be refused, or pass, once too often.
  atomic<std::uint64_t> holder_{0};      // how many claims have begun | ticket of the sender that has it now, or zero
  atomic<std::uint64_t> claimed_{0};     // bytes that it needs
  atomic<std::uint64_t> passed_{0};      // bytes that have ever passed a claim
  atomic<std::uint64_t> may_pass_{0};    // the claim is firm once that many have
  atomic<const void*> thread_{nullptr};  // its thread; null for a coroutine
  const void* owner_ = nullptr;          // its endpoint; this and the next two are guarded by the lock
  bool may_lapse_ = false;
  std::uint64_t last_ticket_ = 0;
};

}  // namespace xichan::internal
