// How long a call may block: any duration of std::chrono, or a time point of any clock.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <ratio>

namespace xichan {

/// A duration that every function with a time limit accepts; all other durations convert to TimeLimit likewise.
using Timeout = std::chrono::nanoseconds;
/// The timeout of a call that blocks indefinitely.
inline constexpr Timeout forever = Timeout::max();

/// How long a call may block. Converts from every duration and every time point; the call never times out early.
///
/// A negative duration and NaN count as zero; a duration of 292 years or more, such as `std::chrono::hours::max()` or
/// an infinite one, blocks indefinitely. A time point is compared with its clock once, when it is converted; if that
/// clock is adjusted later, the call does not follow.
///
/// Thread safety: a plain value.
class TimeLimit {
 public:
  template <class Rep, class Period>
  constexpr TimeLimit(std::chrono::duration<Rep, Period> timeout) noexcept : timeout_(saturate(timeout)) {
    if (timeout_ < 0) timeout_ = 0;
  }
  template <class Clock, class Duration>
  TimeLimit(const std::chrono::time_point<Clock, Duration>& deadline) noexcept
      : timeout_(difference(saturate(deadline.time_since_epoch()), saturate(Clock::now().time_since_epoch()))) {}

  /// Returns the limit in nanoseconds, at least zero; `forever` if there is none.
  constexpr Timeout timeout() const noexcept { return Timeout(timeout_); }

 private:
  // Converts to nanoseconds, rounded up, within the bounds of 64 bits.
  template <class Rep, class Period>
  static constexpr std::int64_t saturate(std::chrono::duration<Rep, Period> duration) noexcept {
    using Scale = std::ratio_divide<Period, std::nano>;
    if constexpr (std::integral<Rep>) {
      std::int64_t scaled = 0;
      if (__builtin_mul_overflow(duration.count(), Scale::num, &scaled)) return duration.count() < 0 ? lowest : highest;
      return scaled / Scale::den + (scaled % Scale::den > 0);
    } else {
      const auto scaled = static_cast<long double>(duration.count()) * Scale::num / Scale::den;
      if (!(scaled > static_cast<long double>(lowest))) return scaled != scaled ? 0 : lowest;
      if (scaled >= static_cast<long double>(highest)) return highest;
      const auto whole = static_cast<std::int64_t>(scaled);
      return whole + (static_cast<long double>(whole) < scaled);
    }
  }

  static constexpr std::int64_t difference(std::int64_t deadline, std::int64_t now) noexcept {
    std::int64_t left = 0;
    if (deadline <= now) return 0;
    return deadline == highest || __builtin_sub_overflow(deadline, now, &left) ? highest : left;
  }

  static constexpr std::int64_t highest = INT64_MAX;
  static constexpr std::int64_t lowest = INT64_MIN;

  std::int64_t timeout_;
};

}  // namespace xichan
