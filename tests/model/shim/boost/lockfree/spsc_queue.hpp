// Stands in for Boost's queue in the models of SpscRing: Lamport's ring with the orders that Boost documents for its
// own, release for what publishes a slot or frees it, acquire for what looks at it from the other side. Nothing
// stronger, so that whatever wake-ups need beyond that must come from SpscRing.
#pragma once

#include <cstdint>

#include "base/atomic.h"

namespace boost::lockfree {

template <class T>
class spsc_queue {
 public:
  explicit spsc_queue(std::uint64_t capacity) : capacity_(capacity), slots_(new xichan::internal::plain<T>[capacity]) {
    popped_.store(0, memory_order_relaxed);
    pushed_.store(0, memory_order_relaxed);
  }
  ~spsc_queue() { delete[] slots_; }

  bool push(const T& item) {
    const std::uint64_t pushed = pushed_.load(memory_order_relaxed);
    if (pushed - popped_.load(memory_order_acquire) == capacity_) return false;
    XICHAN_PLAIN(slots_[pushed % capacity_]) = item;
    pushed_.store(pushed + 1, memory_order_release);
    return true;
  }
  bool pop(T& item) {
    const std::uint64_t popped = popped_.load(memory_order_relaxed);
    if (pushed_.load(memory_order_acquire) == popped) return false;
    item = XICHAN_PLAIN(slots_[popped % capacity_]);
    popped_.store(popped + 1, memory_order_release);
    return true;
  }
  std::uint64_t read_available() const {
    const std::uint64_t pushed = pushed_.load(memory_order_acquire);
    return pushed - popped_.load(memory_order_relaxed);
  }
  std::uint64_t write_available() const {
    const std::uint64_t pushed = pushed_.load(memory_order_relaxed);
    return capacity_ - (pushed - popped_.load(memory_order_acquire));
  }

 private:
  static constexpr auto mo_relaxed = rl::mo_relaxed;
  static constexpr auto mo_acquire = rl::mo_acquire;
  static constexpr auto mo_release = rl::mo_release;

  const std::uint64_t capacity_;
  xichan::internal::plain<T>* const slots_;
  xichan::internal::atomic<std::uint64_t> popped_;
  xichan::internal::atomic<std::uint64_t> pushed_;
};

}  // namespace boost::lockfree
