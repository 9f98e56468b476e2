// How long to spin before sleeping. On one CPU never: the peer needs it. Elsewhere about as long as a sleep and a
// wake-up cost, with growing pauses so that the line of a nearly empty ring is not fought over.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/atomic.h"
#include "base/deadline.h"
#include "sync/cpus.h"

namespace xichan::internal {

/// Spin while attached to an interpreter (the peer may need its lock) and detached, in nanoseconds.
inline constexpr std::int64_t attached_spin_ns = 1'000;
inline constexpr std::int64_t detached_spin_ns = 10'000;

/// Pauses before the first look: of one who waits for an answer, and of one in the middle of a stream. The latter lets
/// the peer get ahead by some messages, so that for a while the two do not work on the same line (about a microsecond;
/// docs/benchmarks/README.md has the figures).
inline constexpr unsigned answer_pauses = 1;
inline constexpr unsigned stream_pauses = 100;

/// Calls `done` until it answers true or about `budget_ns` have passed; true if `done` did.
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
