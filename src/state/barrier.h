// Where a number of threads wait until all of them have arrived.
//
// Algorithm: the calls of a round are listed. The last one to arrive marks them all as passed and empties the list,
// which begins the next round. So a round needs no phase in which its calls leave.
//
// A call that ends while its round is incomplete breaks the barrier: all calls of the round fail, and later ones, until
// it is reset.
#pragma once

#include "state/wait_record.h"

namespace xichan::internal {

class XICHAN_API SharedBarrier final : public RecordingTurnstile {
 public:
  /// `parties` is at least 1; `timeout` is what calls use that state none, in nanoseconds, negative for none.
  SharedBarrier(std::uint64_t parties, std::int64_t timeout) noexcept
      : RecordingTurnstile(StateKind::barrier), parties_(parties), timeout_(timeout) {}
  ~SharedBarrier() override = default;

  /// Begins a call. Returns `waiting` unless it is the last of its round or the barrier is broken.
  Outcome enter(WaitRecord& record) noexcept;
  Outcome leave(WaitRecord& record, bool returns) noexcept override;

  /// Breaks the round, if it has begun, and makes the barrier usable.
  void reset() noexcept;
  /// Breaks the barrier.
  void abort() noexcept;

  std::uint64_t parties() const noexcept { return parties_; }
  std::int64_t timeout() const noexcept { return timeout_; }
  std::uint64_t arrived() noexcept;
  bool is_broken() noexcept;

 private:
  void end_round(Outcome outcome) noexcept;

  const std::uint64_t parties_;
  const std::int64_t timeout_;
  // Guarded by the lock of the queue.
  std::uint64_t arrived_ = 0;  // the length of the list
  bool broken_ = false;
};

}  // namespace xichan::internal
