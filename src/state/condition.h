// Where threads that hold a lock wait until another one that holds it notifies them.
//
// Algorithm: the calls that wait are listed, oldest first. A notification marks the oldest and takes it off the list. A
// call that was notified and does not use it passes it on, so a notification is lost only if no call waits.
#pragma once

#include "state/lock.h"
#include "state/wait_record.h"

namespace xichan::internal {

class XICHAN_API SharedCondition final : public RecordingTurnstile {
 public:
  /// Takes over one reference to the lock.
  explicit SharedCondition(SharedLock& lock) noexcept : RecordingTurnstile(StateKind::condition), guard_(lock) {}
  ~SharedCondition() override { guard_.release(); }

  /// The lock that the callers hold, which lives as long as this object.
  SharedLock& guard() noexcept { return guard_; }

  /// Begins a call, whose caller holds the lock, and releases it next.
  void enter(WaitRecord& record) noexcept;
  /// Returns `passed` if the call was notified, else `broken`.
  Outcome leave(WaitRecord& record, bool returns) noexcept override;
  /// Notifies up to `count` calls, the oldest.
  void notify(std::uint64_t count) noexcept;

 private:
  SharedLock& guard_;
};

}  // namespace xichan::internal
