// A 64-bit integer that interpreters change together.
//
// Algorithm: the processor's atomic instructions. An addition must not wrap around, and another thread may store any
// value between a check and an addition, so an addition is a loop of compare-and-swap.
//
// Progress: an addition is lock-free, all else wait-free. Thread safety: any thread. Every operation is sequentially
// consistent, so that programs can order other memory by it.
#pragma once

#include <cstdint>

#include "state/object.h"

namespace xichan::internal {

class AtomicInteger final : public StateObject {
 public:
  explicit AtomicInteger(std::int64_t value) noexcept : StateObject(StateKind::atomic_int) {
    value_.store(value, memory_order_relaxed);
  }

  std::int64_t load() const noexcept { return value_.load(memory_order_seq_cst); }
  void store(std::int64_t value) noexcept { value_.store(value, memory_order_seq_cst); }
  std::int64_t exchange(std::int64_t value) noexcept { return value_.exchange(value, memory_order_seq_cst); }
  bool compare_exchange(std::int64_t expected, std::int64_t value) noexcept {
    return value_.compare_exchange_strong(expected, value, memory_order_seq_cst, memory_order_seq_cst);
  }

  /// Stores the new value in `sum`. Returns false, and changes nothing, if it would overflow.
  bool add(std::int64_t amount, std::int64_t& sum) noexcept {
    std::int64_t value = value_.load(memory_order_relaxed);
    do {
      if (__builtin_add_overflow(value, amount, &sum)) return false;
    } while (!value_.compare_exchange_weak(value, sum, memory_order_seq_cst, memory_order_relaxed));
    return true;
  }

 private:
  atomic<std::int64_t> value_;
};

}  // namespace xichan::internal
