// How much memory the arena's shared stores keep for reuse, and when they give it back.
//
// A store keeps at most its own maximum, and at most 1/64 of the byte limit: memory in use is near the limit then, and
// what is kept comes on top. Memory is idle when nobody wanted it from one sweep to the next, and sweeps are at least
// a second apart. No thread and no timer sees to that: whoever comes to a shared store anyway (once per magazine or
// large block, never on the usual path) looks at the coarse clock, and the first one after the second sweeps. So a
// process that goes on sending gives back within two seconds what it no longer needs, and one that falls silent keeps
// what lies in its stores, which the maxima bound.
//
// Thread safety: any thread. Counts only: every access is relaxed.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/atomic.h"
#include "xichan/export.h"

namespace xichan::internal {

class CacheQuota {
 public:
  constexpr explicit CacheQuota(std::uint64_t maximum) noexcept : maximum_(maximum), bound_(maximum) {}

  /// False if so many more would be too many.
  bool add(std::uint64_t bytes) noexcept {
    if (bytes_.fetch_add(bytes, memory_order_relaxed) + bytes <= bound_.load(memory_order_relaxed)) return true;
    subtract(bytes);
    return false;
  }
  void subtract(std::uint64_t bytes) noexcept { bytes_.fetch_sub(bytes, memory_order_relaxed); }

  std::uint64_t bytes() const noexcept { return bytes_.load(memory_order_relaxed); }
  std::uint64_t bound() const noexcept { return bound_.load(memory_order_relaxed); }
  void follow_limit(std::uint64_t limit) noexcept {
    bound_.store(std::min(maximum_, limit / 64), memory_order_relaxed);
  }

 private:
  const std::uint64_t maximum_;
  atomic<std::uint64_t> bytes_{0};
  atomic<std::uint64_t> bound_;
};

/// Gives back what is idle in all stores, at most once a second: the first call after that does it.
void sweep_if_due() noexcept;
/// The same at any time. Idle is what was there at the last sweep already.
XICHAN_API void sweep_stores() noexcept;

}  // namespace xichan::internal
