// The one system call the core waits with. std::atomic::wait and std::counting_semaphore are not used: those of
// libstdc++ 12 lose wake-ups.
#pragma once

#include <cstdint>

#include "base/atomic.h"
#include "base/deadline.h"
#include "xichan/export.h"

namespace xichan::internal {

enum class WaitResult { woken, timed_out, interrupted };

/// Sleeps while `word` holds `expected`, until a wake-up, the deadline or a signal. `woken` may be spurious.
XICHAN_API WaitResult futex_wait(atomic<std::uint32_t>& word, std::uint32_t expected, Deadline deadline) noexcept;

/// Wakes one thread that sleeps on `word`. Only the address is used: the word itself may be gone by now, in which case
/// nobody is woken, or somebody who sleeps on a new word there wakes spuriously and checks again.
XICHAN_API void futex_wake(atomic<std::uint32_t>* word) noexcept;

}  // namespace xichan::internal
