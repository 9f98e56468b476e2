// Splits a long sleep, so that a thread returns what it has cached for the next message: a blocked thread may sleep for
// hours. It wakes once for that, and takes part in the watch over the shared stores (idle_watch.h). A thread that other
// threads must find where it waits (a rendezvous) takes no part; it wakes at most three times instead, if there is
// cached memory then: to flush its cache, and for two sweeps of what has stayed idle since.
#pragma once

#include <cstdint>

#include "arena/arena.h"
#include "base/deadline.h"

namespace xichan::internal {

/// Thread safety: one thread at a time.
class Naps {
 public:
  bool any_taken() const noexcept { return taken_ != 0; }
  bool any_left() const noexcept { return taken_ < most && Arena::has_cached(); }
  /// Returns the time of the last look at the clock: at the beginning, and after each nap.
  std::int64_t now() const noexcept { return now_; }

  /// Returns until when a nap lasts, `deadline` at the latest.
  Deadline until(Deadline deadline) const noexcept {
    return earlier(deadline, Deadline::at(start_ + (taken_ + 1) * length_ns));
  }
  /// Called after a timeout. Returns true if the sleep goes on.
  bool go_on(Deadline deadline) noexcept {
    ++taken_;
    now_ = Deadline::now();
    if (now_ - start_ >= long_ns) Arena::idle();
    return deadline.is_never() || now_ < deadline.nanoseconds();
  }

 private:
  static constexpr int most = 3;
  static constexpr std::int64_t length_ns = 600'000'000;  // more than the time between two sweeps
  static constexpr std::int64_t long_ns = 40'000'000;     // less than the slices in which a main thread sleeps

  const std::int64_t start_ = Deadline::now();
  std::int64_t now_ = start_;
  std::int64_t taken_ = 0;
};

}  // namespace xichan::internal
