// Third-party queues behind the interface of the benchmarks: `try_push` and `try_pop` return true on success.
#pragma once

#include <concurrentqueue.h>

#include <boost/lockfree/queue.hpp>
#include <boost/lockfree/spsc_queue.hpp>
#include <cstdint>
#include <deque>
#include <mutex>

namespace xichan::bench {

/// Michael and Scott's list over a fixed pool of nodes. Lock-free; at most 65,533 items.
template <class T>
class BoostQueue {
 public:
  explicit BoostQueue(std::uint64_t capacity) : queue_(capacity) {}
  bool try_push(const T& item) { return queue_.bounded_push(item); }
  bool try_pop(T& item) { return queue_.pop(item); }

 private:
  boost::lockfree::queue<T, boost::lockfree::fixed_sized<true>> queue_;
};

/// One producer and one consumer.
template <class T>
class BoostSpsc {
 public:
  explicit BoostSpsc(std::uint64_t capacity) : queue_(capacity) {}
  bool try_push(const T& item) { return queue_.push(item); }
  bool try_pop(T& item) { return queue_.pop(item); }

 private:
  boost::lockfree::spsc_queue<T> queue_;
};

/// Unbounded; FIFO only per producer; may report "empty" while it is not.
template <class T>
class Moodycamel {
 public:
  explicit Moodycamel(std::uint64_t capacity) : queue_(capacity) {}
  bool try_push(const T& item) { return queue_.enqueue(item); }
  bool try_pop(T& item) { return queue_.try_dequeue(item); }

 private:
  moodycamel::ConcurrentQueue<T> queue_;
};

/// The baseline: blocking.
template <class T>
class LockedDeque {
 public:
  explicit LockedDeque(std::uint64_t capacity) : capacity_(capacity) {}
  bool try_push(const T& item) {
    const std::lock_guard guard(lock_);
    if (items_.size() == capacity_) return false;
    items_.push_back(item);
    return true;
  }
  bool try_pop(T& item) {
    const std::lock_guard guard(lock_);
    if (items_.empty()) return false;
    item = items_.front();
    items_.pop_front();
    return true;
  }

 private:
  const std::uint64_t capacity_;
  std::mutex lock_;
  std::deque<T> items_;
};

}  // namespace xichan::bench
