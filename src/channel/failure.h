// How a channel ended for one of its sides: not yet, regularly, or with an error. The first outcome is kept.
//
// Invariants
//   F1  an error is recorded before the ring is closed, or the endpoint dropped, by the same call. So a thread that
//       finds the ring closed also finds the error.
//   F2  a recorded error is never replaced, and lives as long as the channel.
//
// Thread safety: any thread. Progress: no call waits for another.
#pragma once

#include <cstdint>
#include <new>

#include "base/atomic.h"
#include "value/message.h"

namespace xichan::internal {

class Failure {
 public:
  Failure() noexcept { outcome_.store(open, memory_order_relaxed); }
  Failure(const Failure&) = delete;
  Failure& operator=(const Failure&) = delete;
  ~Failure() {
    if (Record* record = record_of(outcome_.load(memory_order_relaxed))) {
      release(XICHAN_PLAIN(record->error));
      delete record;
    }
  }

  /// Records that the channel ends without an error, unless an outcome is recorded.
  void finish() noexcept {
    std::uintptr_t expected = open;
    outcome_.compare_exchange_strong(expected, finished, memory_order_relaxed, memory_order_relaxed);
  }
  /// Records an error, unless an outcome is recorded; with `replaces_finish`, unless an error is. Takes over the cell.
  /// Without memory the failure itself is still recorded.
  void fail(const Cell& error, bool replaces_finish) noexcept {
    auto* record = new (std::nothrow) Record;
    if (record == nullptr) {
      release(error);
    } else {
      XICHAN_PLAIN(record->error) = error;
    }
    const std::uintptr_t failed = record == nullptr ? unknown : reinterpret_cast<std::uintptr_t>(record);
    std::uintptr_t expected = open;
    // (10) publishes the error, with the load in `error`.
    while (!outcome_.compare_exchange_strong(expected, failed, memory_order_release, memory_order_relaxed)) {
      if (expected == finished && replaces_finish) continue;
      if (record != nullptr) release(error);
      delete record;
      return;
    }
  }

  /// Returns true if an error is recorded, and stores it. The cell belongs to the channel; it is none if there was no
  /// memory to keep the error.
  bool error(Cell& error) const noexcept {
    const std::uintptr_t outcome = outcome_.load(memory_order_acquire);  // (10)
    if (outcome == open || outcome == finished) return false;
    Record* record = record_of(outcome);
    error = record == nullptr ? Cell::none() : XICHAN_PLAIN(record->error);
    return true;
  }

 private:
  struct Record {
    plain<Cell> error;
  };
  // Values of `outcome_` other than the address of a Record.
  static constexpr std::uintptr_t open = 0, finished = 1, unknown = 2;

  static Record* record_of(std::uintptr_t outcome) noexcept {
    return outcome <= unknown ? nullptr : reinterpret_cast<Record*>(outcome);
  }

  atomic<std::uintptr_t> outcome_;
};

}  // namespace xichan::internal
