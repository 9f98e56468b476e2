// Calls that an object knows also while they are not in its queue: those of Barrier and Condition.
//
// A call that is interrupted leaves the queue for a moment, in which its thread may run signal handlers. It still is
// one of the parties of its round, or one of the waiters that a notification may go to. So each call has a record,
// which the object lists from the beginning of the call, and in which it notes the outcome; the call is admitted once
// there is one.
//
// Why no outcome is lost: it is noted under the lock of the queue, before the object looks for waiters; a call that
// joins the queue then looks at its record under the same lock.
//
// Invariants
//   T4  a record is listed iff its outcome is `waiting`; both change under the lock of the queue.
//   T5  every call ends by `leave`, whatever ends it, before its record is destroyed.
//
// Progress: a short lock; noting an outcome in n records holds it for n steps.
#pragma once

#include "base/intrusive_list.h"
#include "state/turnstile.h"

namespace xichan::internal {

/// Belongs to its call. The members are the object's, under the lock of its queue; after `leave` the call may read
/// them.
struct WaitRecord {
  enum class Outcome : std::uint8_t { waiting, passed, broken };

  WaitRecord() noexcept { set(Outcome::waiting); }

  Outcome outcome() const noexcept {
    const std::uint8_t outcome = XICHAN_PLAIN(outcome_);
    return static_cast<Outcome>(outcome);
  }
  void set(Outcome outcome) noexcept { XICHAN_PLAIN(outcome_) = static_cast<std::uint8_t>(outcome); }

  std::uint64_t index = 0;  // how many had arrived at the barrier before
  ListHook<WaitRecord> hook;

 private:
  plain<std::uint8_t> outcome_;
};

/// Thread safety: any thread.
class XICHAN_API RecordingTurnstile : public Turnstile {
 public:
  using Outcome = WaitRecord::Outcome;

  /// Returns the request by which a call with this record waits.
  static Request request_of(WaitRecord& record) noexcept { return {.record = &record}; }

  /// Ends a call that is not in the queue, and returns its outcome. `returns`: it uses the outcome; otherwise it
  /// raises, or never returns. Idempotent.
  virtual Outcome leave(WaitRecord& record, bool returns) noexcept = 0;

  void give_up(Request& request) noexcept override { leave(*request.record, false); }

 protected:
  using Records = IntrusiveList<WaitRecord, &WaitRecord::hook>;

  explicit RecordingTurnstile(StateKind kind) noexcept : Turnstile(kind, Order::each) {}
  ~RecordingTurnstile() = default;

  bool admit(Request& request) noexcept override { return request.record->outcome() != Outcome::waiting; }

  // The caller must hold the lock of the queue.
  void end(WaitRecord& record, Outcome outcome) noexcept {
    records_.remove(record);
    record.set(outcome);
  }

  Records records_;  // oldest first; guarded by the lock of the queue
};

}  // namespace xichan::internal
