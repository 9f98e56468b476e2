// Queue for many producers, FIFO only for each producing endpoint, bounded or not.
//
// Algorithm: moodycamel's ConcurrentQueue, with one producer token per endpoint, behind two exact counts. `taken_`
// bounds the queue and carries the closed mark. `ready_` counts credits: it is incremented after an item is enqueued
// and decremented before one is dequeued, because the queue itself may report "empty" while it is not. Source:
// https://github.com/cameron314/concurrentqueue
// Progress: no call waits for a producer or consumer that is stopped before it has published. A consumer that holds a
// credit retries until the queue returns an item, which exists (X1).
//
// Invariants
//   X1  ready_ <= items in the queue: each credit represents a completely enqueued item.
//   X2  items in the queue <= taken_ <= capacity.
#pragma once

#include <cstdint>

#include "base/atomic.h"
#include "ring/lane.h"
#include "ring/ring.h"
#include "value/cell.h"
#include "xichan/export.h"
#include "xichan/flavor.h"

namespace xichan::internal {

class XICHAN_API RelaxedRing {
 public:
  explicit RelaxedRing(std::uint64_t capacity) noexcept;
  RelaxedRing(const RelaxedRing&) = delete;
  RelaxedRing& operator=(const RelaxedRing&) = delete;
  ~RelaxedRing();

  bool valid() const noexcept { return queue_ != nullptr; }

  /// Also returns `no_memory`, with nothing pushed.
  Status try_push(const Cell& item, Lane& lane) noexcept;
  Status try_pop(Cell& item) noexcept;

  /// Releases the lane's token, which is otherwise destroyed with the ring. No call may be using the lane.
  void forget(Lane& lane) noexcept;

  void close() noexcept { taken_.fetch_or(mark, memory_order_seq_cst); }
  bool is_closed() const noexcept { return taken_.load(memory_order_seq_cst) & mark; }
  bool can_pop() const noexcept { return ready_.load(memory_order_seq_cst) != 0; }
  bool can_push() const noexcept { return taken_.load(memory_order_seq_cst) < capacity_; }
  std::uint64_t size() const noexcept { return ready_.load(memory_order_seq_cst); }
  std::uint64_t capacity() const noexcept { return capacity_; }
  std::uint64_t pushed() const noexcept { return popped_.load(memory_order_relaxed) + size(); }

 private:
  struct Queue;
  struct Token;
  static constexpr std::uint64_t mark = std::uint64_t{1} << 63;  // of taken_: closed; the other bits are the count

  const std::uint64_t capacity_;
  Queue* queue_;
  alignas(cache_line) atomic<std::uint64_t> taken_;
  alignas(cache_line) atomic<std::uint64_t> ready_;
  atomic<std::uint64_t> popped_{0};  // a statistic
};

static_assert(Ring<RelaxedRing, Cell>);

}  // namespace xichan::internal
