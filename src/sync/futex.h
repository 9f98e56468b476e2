// The system call that the core waits with. It does not use std::atomic::wait and std::counting_semaphore, because
// those of libstdc++ 12 lose wake-ups.
#pragma once

#include <cstdint>

#include "base/atomic.h"
#include "base/deadline.h"
#include "xichan/export.h"

namespace xichan::internal {

enum class WaitResult { woken, timed_out, interrupted };

/// Sleeps while `word` equals `expected`, until a wake-up, the deadline or a signal. `woken` may be spurious.
XICHAN_API WaitResult futex_wait(atomic<std::uint32_t>& word, std::uint32_t expected, Deadline deadline) noexcept;

/// Wakes one thread that sleeps on `word`. Uses only the address: the word may have been destroyed already. Then no
/// thread wakes, or one that sleeps on a new word at that address wakes spuriously and checks again.
XICHAN_API void futex_wake(atomic<std::uint32_t>* word) noexcept;
/// Wakes all of them.
XICHAN_API void futex_wake_all(atomic<std::uint32_t>* word) noexcept;

/// The same for a word in memory that several processes map.
XICHAN_API WaitResult shared_futex_wait(atomic<std::uint32_t>& word, std::uint32_t expected,
                                        Deadline deadline) noexcept;
XICHAN_API void shared_futex_wake_all(atomic<std::uint32_t>& word) noexcept;

}  // namespace xichan::internal
