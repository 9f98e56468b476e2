#include "state/semaphore.h"

namespace xichan::internal {

bool SharedSemaphore::take() noexcept {
  std::uint64_t value = value_.load(memory_order_seq_cst);
  do {
    if (value == 0) return false;
    // (34) acquire, with (35), as in lock.cpp.
  } while (!value_.compare_exchange_weak(value, value - 1, memory_order_seq_cst, memory_order_seq_cst));
  return true;
}

bool SharedSemaphore::release_many(std::uint64_t count) noexcept {
  constexpr std::uint64_t most = INT64_MAX;
  std::uint64_t value = value_.load(memory_order_relaxed);
  do {
    if (count > most || value > most - count) return false;
  } while (!value_.compare_exchange_weak(value, value + count, memory_order_seq_cst, memory_order_relaxed));  // (35)
  changed();
  return true;
}

}  // namespace xichan::internal
