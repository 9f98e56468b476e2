// A point in time on the monotonic clock, computed once per call. The core never reads the wall clock.
#pragma once

#include <time.h>

#include <algorithm>
#include <cstdint>

namespace xichan::internal {

/// Thread safety: a plain value.
class Deadline {
 public:
  static constexpr Deadline never() noexcept { return Deadline(INT64_MAX); }
  /// Clamps a negative time to zero.
  static constexpr Deadline at(std::int64_t nanoseconds) noexcept {
    return Deadline(std::max<std::int64_t>(nanoseconds, 0));
  }

  /// Returns the time `seconds` from now, or never() for about 292 years and more. Must not be negative or NaN.
  static Deadline in_seconds(double seconds) noexcept {
    const double nanoseconds = seconds * 1e9;
    if (!(nanoseconds < 9.2e18)) return never();
    return after(static_cast<std::int64_t>(nanoseconds));
  }

  /// Returns the time `nanoseconds` from now, plus one so that a wait never ends early; never() if that overflows.
  static Deadline after(std::int64_t nanoseconds) noexcept {
    std::int64_t sum;
    if (__builtin_add_overflow(now() + 1, nanoseconds, &sum)) return never();
    return Deadline(sum);
  }

  /// Returns a time up to some milliseconds ago, in a fifth of the time that `now` takes.
  static std::int64_t recently() noexcept {
    timespec ts;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
    return std::int64_t{ts.tv_sec} * 1'000'000'000 + ts.tv_nsec;
  }

  static std::int64_t now() noexcept {
    timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return std::int64_t{ts.tv_sec} * 1'000'000'000 + ts.tv_nsec;
  }

  constexpr bool is_never() const noexcept { return nanoseconds_ == INT64_MAX; }
  bool passed() const noexcept { return !is_never() && now() >= nanoseconds_; }
  constexpr std::int64_t nanoseconds() const noexcept { return nanoseconds_; }

  friend constexpr Deadline earlier(Deadline a, Deadline b) noexcept {
    return Deadline(std::min(a.nanoseconds_, b.nanoseconds_));
  }
  friend constexpr Deadline later(Deadline a, Deadline b) noexcept {
    return Deadline(std::max(a.nanoseconds_, b.nanoseconds_));
  }
  friend constexpr bool operator==(Deadline, Deadline) = default;

 private:
  constexpr explicit Deadline(std::int64_t nanoseconds) noexcept : nanoseconds_(nanoseconds) {}

  std::int64_t nanoseconds_;
};

}  // namespace xichan::internal
