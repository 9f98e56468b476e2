// Bounded queue for one producer and one consumer, strict FIFO, any exact capacity.
//
// Algorithm: Boost.Lockfree's spsc_queue (a Lamport ring with one index per side) behind one short lock per side, so
// that neither two threads that share an endpoint nor a closer that discards items can break it.
// Source: boost/lockfree/spsc_queue.hpp.
// Progress: wait-free with respect to the other side; callers of the same side exclude each other.
//
// Wake-ups. A producer publishes under its lock and releases it with a sequentially consistent store. A consumer that
// finds the queue empty loads that lock, sequentially consistent too, and looks once more. So a consumer that
// registered as waiting before a producer looked for waiters sees its item, as with the turns of MpmcRing. The same
// holds for senders, mirrored.
#pragma once

#include <boost/lockfree/spsc_queue.hpp>
#include <cstdint>
#include <memory>
#include <new>

#include "base/atomic.h"
#include "ring/ring.h"
#include "sync/short_lock.h"

namespace xichan::internal {

template <class T>
class SpscRing {
 public:
  explicit SpscRing(std::uint64_t capacity) noexcept : capacity_(capacity) {
    closed_.store(false, memory_order_relaxed);
    try {
      queue_ = std::make_unique<Queue>(capacity);
    } catch (const std::bad_alloc&) {
    }
  }

  bool valid() const noexcept { return queue_ != nullptr; }

  Status try_push(const T& item, Lane&) noexcept {
    std::lock_guard guard(push_lock_);
    if (closed_.load(memory_order_seq_cst)) return Status::closed;
    bool done = queue_->push(item);
    if (!done) {
      (void)pop_lock_.is_held();  // see Wake-ups
      done = queue_->push(item);
    }
    if (!done) return Status::full;
    pushed_.store(pushed_.load(memory_order_relaxed) + 1, memory_order_relaxed);  // a statistic; under the lock
    return Status::ok;
  }

  Status try_pop(T& item) noexcept {
    std::lock_guard guard(pop_lock_);
    if (queue_->pop(item)) return Status::ok;
    // The order matters: a producer that locks after we found the lock free sees the mark and pushes nothing.
    const bool closed = closed_.load(memory_order_seq_cst);
    const bool pushing = push_lock_.is_held();
    if (queue_->pop(item)) return Status::ok;
    return closed && !pushing ? Status::closed : Status::empty;
  }

  void close() noexcept { closed_.store(true, memory_order_seq_cst); }
  bool is_closed() const noexcept { return closed_.load(memory_order_seq_cst); }

  bool can_pop() const noexcept {
    (void)push_lock_.is_held();
    return queue_->read_available() != 0;
  }
  bool can_push() const noexcept {
    (void)pop_lock_.is_held();
    return !is_closed() && queue_->write_available() != 0;
  }

  std::uint64_t size() const noexcept { return queue_->read_available(); }
  std::uint64_t capacity() const noexcept { return capacity_; }
  std::uint64_t pushed() const noexcept { return pushed_.load(memory_order_relaxed); }

 private:
  using Queue = boost::lockfree::spsc_queue<T>;

  const std::uint64_t capacity_;
  std::unique_ptr<Queue> queue_;
  atomic<bool> closed_;
  alignas(cache_line) ShortLock push_lock_;
  atomic<std::uint64_t> pushed_{0};
  alignas(cache_line) ShortLock pop_lock_;
};

static_assert(Ring<SpscRing<int>, int>);

}  // namespace xichan::internal
