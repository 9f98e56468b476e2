// A 64-bit integer that interpreters change together.
//
// Algorithm: the processor's atomic instructions. An addition must not wrap around, and a check before it may be out of
// date when it takes effect. Therefore the value is in one of two words. While it is near zero, it is in `near_`, and a
// small addition adds without a loop: `margin` is more than all threads that a system can have add between their checks
// and their additions, `small` each. The first operation that moves the value away from zero stores it in `far_`, and
// then `moved` in `near_`, which stays there. An addition whose check is out of date by then changes only the mark, by
// less than the margin; it sees that, and starts again. In `far_` an addition is a loop of compare-and-swap.
//
// Invariants
//   A1  near_ is below `end` in magnitude and is the value; or it is from `end` to INT64_MAX, and far_ is the value.
//   A2  an addition without a loop found near_ below `limit`; each thread has at most one of these in progress. So
//       near_, and the mark, are off by less than the margin, and neither leaves its range.
//
// Progress: load, compare_exchange and small additions near zero are wait-free, the others lock-free; the one that
// moves the value takes a lock, which only other calls that move it wait for. Thread safety: any thread. Every
// operation takes effect at a sequentially consistent access, so that programs can order other memory by it.
#pragma once

#include <cstdint>
#include <mutex>

#include "state/object.h"
#include "sync/mutex.h"

namespace xichan::internal {

class AtomicInteger final : public StateObject {
 public:
  explicit AtomicInteger(std::int64_t value) noexcept : StateObject(StateKind::atomic_int) {
    near_.store(is_near(value) ? value : moved, memory_order_relaxed);
    far_.store(value, memory_order_relaxed);
  }

  std::int64_t load() const noexcept {
    const std::int64_t value = near_.load(memory_order_seq_cst);  // (46) acquire, with (45), as in all that follow
    return has_moved(value) ? far_.load(memory_order_seq_cst) : value;
  }
  void store(std::int64_t value) noexcept { exchange(value); }
  std::int64_t exchange(std::int64_t value) noexcept {
    std::int64_t now = near_.load(memory_order_seq_cst);
    while (!has_moved(now)) {
      if (!is_near(value)) {
        move();
        break;
      }
      if (near_.compare_exchange_weak(now, value, memory_order_seq_cst, memory_order_seq_cst)) return now;
    }
    return far_.exchange(value, memory_order_seq_cst);
  }
  bool compare_exchange(std::int64_t expected, std::int64_t value) noexcept {
    std::int64_t now = near_.load(memory_order_seq_cst);
    while (!has_moved(now)) {
      if (now != expected) return false;
      if (!is_near(value)) {
        move();
        break;
      }
      if (near_.compare_exchange_strong(now, value, memory_order_seq_cst, memory_order_seq_cst)) return true;
    }
    return far_.compare_exchange_strong(expected, value, memory_order_seq_cst, memory_order_seq_cst);
  }

  /// Stores the new value in `sum`. Returns false, and changes nothing, if it would overflow.
  bool add(std::int64_t amount, std::int64_t& sum) noexcept {
    if (is_near(near_.load(memory_order_relaxed)) && amount > -small && amount < small) [[likely]] {
      const std::int64_t value = near_.fetch_add(amount, memory_order_seq_cst);
      sum = value + amount;
      if (!has_moved(value)) [[likely]]
        return true;
    }
    return add_in_a_loop(amount, sum);
  }

 private:
  static constexpr std::int64_t end = std::int64_t{1} << 62;
  static constexpr std::int64_t margin = std::int64_t{1} << 61;
  static constexpr std::int64_t limit = end - margin;
  static constexpr std::int64_t moved = end + margin;           // as far from either end of its range
  static constexpr std::int64_t small = std::int64_t{1} << 32;  // times 2^22 threads is far less than the margin

  static bool is_near(std::int64_t value) noexcept { return value > -limit && value < limit; }
  static bool has_moved(std::int64_t value) noexcept { return value >= end; }

  [[gnu::noinline]] bool add_in_a_loop(std::int64_t amount, std::int64_t& sum) noexcept {
    std::int64_t old = near_.load(memory_order_seq_cst);
    while (!has_moved(old)) {
      if (__builtin_add_overflow(old, amount, &sum)) return false;
      if (!is_near(sum)) {
        move();
        break;
      }
      if (near_.compare_exchange_weak(old, sum, memory_order_seq_cst, memory_order_seq_cst)) return true;
    }
    old = far_.load(memory_order_seq_cst);
    do {
      if (__builtin_add_overflow(old, amount, &sum)) return false;
    } while (!far_.compare_exchange_weak(old, sum, memory_order_seq_cst, memory_order_seq_cst));
    return true;
  }

  // Moves the value to `far_`, unless it is there.
  void move() noexcept {
    std::lock_guard guard(lock_);
    std::int64_t value = near_.load(memory_order_relaxed);
    while (!has_moved(value)) {
      far_.store(value, memory_order_relaxed);
      // (45) release, with (46): a thread that finds the mark finds the value.
      if (near_.compare_exchange_weak(value, moved, memory_order_seq_cst, memory_order_relaxed)) return;
    }
  }

  alignas(cache_line) atomic<std::int64_t> near_;  // a counter that is contended slows down no other
  atomic<std::int64_t> far_;
  Mutex lock_;
};

}  // namespace xichan::internal
