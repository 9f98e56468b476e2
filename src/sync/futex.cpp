#include "sync/futex.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace xichan::internal {
namespace {

static_assert(sizeof(atomic<std::uint32_t>) == 4, "the kernel reads the word directly");

// The BITSET variant takes an absolute time on the monotonic clock. `flags`: FUTEX_PRIVATE_FLAG or 0.
WaitResult wait_bitset(atomic<std::uint32_t>& word, int flags, std::uint32_t expected, Deadline deadline) noexcept {
  timespec until{};
  const timespec* limit = nullptr;
  if (!deadline.is_never()) {
    until.tv_sec = deadline.nanoseconds() / 1'000'000'000;
    until.tv_nsec = deadline.nanoseconds() % 1'000'000'000;
    limit = &until;
  }
  const long failed =
      syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | flags, expected, limit, nullptr, FUTEX_BITSET_MATCH_ANY);
  if (failed == 0) return WaitResult::woken;
  if (errno == ETIMEDOUT) return WaitResult::timed_out;
  if (errno == EINTR) return WaitResult::interrupted;
  return WaitResult::woken;  // EAGAIN: the word has changed already
}

}  // namespace

WaitResult futex_wait(atomic<std::uint32_t>& word, std::uint32_t expected, Deadline deadline) noexcept {
  return wait_bitset(word, FUTEX_PRIVATE_FLAG, expected, deadline);
}

void futex_wake(atomic<std::uint32_t>* word) noexcept {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

void futex_wake_all(atomic<std::uint32_t>* word) noexcept {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

WaitResult shared_futex_wait(atomic<std::uint32_t>& word, std::uint32_t expected, Deadline deadline) noexcept {
  return wait_bitset(word, 0, expected, deadline);
}

void shared_futex_wake_all(atomic<std::uint32_t>& word) noexcept {
  syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace xichan::internal
