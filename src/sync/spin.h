// Spins before sleeping, for about the cost of a sleep and a wake-up, with growing pauses to reduce contention for the
// cache line of a nearly empty ring. Never spins on one CPU, because the peer needs it.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/atomic.h"
#include "base/deadline.h"
#include "sync/cpus.h"

namespace xichan::internal {

/// Nanoseconds to spin while attached to an interpreter, whose lock the peer may need, and while detached.
inline constexpr std::int64_t attached_spin_ns = 1'000;
inline constexpr std::int64_t detached_spin_ns = 10'000;

/// Pauses before the first check: for a caller that expects a reply, and for one that is streaming. The latter lets the
/// peer get some messages ahead, so that the two do not access the same cache line for a while (about a microsecond;
/// see docs/benchmarks/README.md).
inline constexpr unsigned reply_pauses = 1;
inline constexpr unsigned stream_pauses = 100;

/// Calls `done` until it returns true or about `budget_ns` have passed. Returns true if `done` did.
template <class Done>
bool spin(std::int64_t budget_ns, unsigned pauses, Done done) noexcept {
  if (usable_cpus() < 2) return false;
  const std::int64_t end = Deadline::now() + budget_ns;
  for (;; pauses = std::min(pauses * 2, 64u)) {
    for (unsigned i = 0; i < pauses; ++i) cpu_relax();
    if (done()) return true;
    if (Deadline::now() >= end) return false;
  }
}

}  // namespace xichan::internal
