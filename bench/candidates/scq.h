// Bounded queue of any exact capacity, many producers and many consumers, strict FIFO: what was weighed against
// MpmcRing. For the benchmarks only.
//
// Algorithm: SCQ, two queues of indices (free places, places filled) around an array of items. Source: Ruslan Nikolaev,
// "A Scalable, Portable, and Memory-Efficient Lock-Free FIFO Queue", DISC 2019, figures 5 and 8; this is written from
// the paper. Progress: lock-free; a thread stopped anywhere costs the others one place at most.
//
// An entry of an index queue is  cycle | safe | index,  with all bits of the index set where there is none.
//
// Invariants
//   S1  an index is in one of the two queues, or in the hands of one thread.
//   S2  an index queue has at least twice as many entries as indices, and as many indices' room as threads use it.
//   S3  `threshold_` is negative only while the queue is empty: it is reset after each enqueue, and an unfinished
//   search
//       for an item takes at most 3 * room - 1 steps from there (lemma 2 of the paper).
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "base/atomic.h"

namespace xichan::bench {

using namespace internal;

class IndexQueue {
 public:
  static constexpr std::uint64_t none = UINT64_MAX;

  /// Room for `room` indices, a power of two; holds 0 .. filled - 1 at first.
  IndexQueue(std::uint64_t room, std::uint64_t filled)
      : entries_(room * 2), order_(std::bit_width(room * 2) - 1), longest_(static_cast<std::int64_t>(room * 3 - 1)) {
    for (std::uint64_t i = 0; i < size(); ++i) {
      // Position p belongs to cycle p / size; the empty entries are of the cycle before the first.
      entries_[place(i)].store(i < filled ? entry(1, true, i) : entry(0, true, bottom()), memory_order_relaxed);
    }
    head_.store(size(), memory_order_relaxed);
    tail_.store(size() + filled, memory_order_relaxed);
    threshold_.store(filled == 0 ? -1 : longest_, memory_order_relaxed);
  }

  void push(std::uint64_t index) noexcept {
    for (;;) {
      const std::uint64_t tail = tail_.fetch_add(1, memory_order_seq_cst);
      atomic<std::uint64_t>& slot = entries_[place(tail)];
      std::uint64_t seen = slot.load(memory_order_acquire);
      while (cycle(seen) < tail >> order_ && index_of(seen) == bottom() &&
             (is_safe(seen) || head_.load(memory_order_seq_cst) <= tail)) {
        if (!slot.compare_exchange_weak(seen, entry(tail >> order_, true, index), memory_order_seq_cst,
                                        memory_order_acquire)) {
          continue;
        }
        if (threshold_.load(memory_order_seq_cst) != longest_) threshold_.store(longest_, memory_order_seq_cst);
        return;
      }
    }
  }

  std::uint64_t pop() noexcept {
    if (threshold_.load(memory_order_seq_cst) < 0) return none;
    for (;;) {
      const std::uint64_t head = head_.fetch_add(1, memory_order_seq_cst);
      atomic<std::uint64_t>& slot = entries_[place(head)];
      std::uint64_t seen = slot.load(memory_order_acquire);
      for (;;) {
        if (cycle(seen) == head >> order_) {
          slot.fetch_or(bottom(), memory_order_seq_cst);  // consumed; the cycle stays
          return index_of(seen);
        }
        if (cycle(seen) > head >> order_) break;
        // Too early: the producer with this position finds the entry invalidated and takes another.
        const std::uint64_t spoilt = index_of(seen) == bottom() ? entry(head >> order_, is_safe(seen), bottom())
                                                                : entry(cycle(seen), false, index_of(seen));
        if (slot.compare_exchange_weak(seen, spoilt, memory_order_seq_cst, memory_order_acquire)) break;
      }
      const std::uint64_t tail = tail_.load(memory_order_seq_cst);
      if (tail <= head + 1) {
        catch_up(tail, head + 1);
        threshold_.fetch_sub(1, memory_order_seq_cst);
        return none;
      }
      if (threshold_.fetch_sub(1, memory_order_seq_cst) <= 0) return none;  // S3
    }
  }

 private:
  // Consumers have gone past the tail: moves it after them, so that producers do not try the positions one by one.
  void catch_up(std::uint64_t tail, std::uint64_t head) noexcept {
    while (!tail_.compare_exchange_weak(tail, head, memory_order_seq_cst, memory_order_seq_cst)) {
      head = head_.load(memory_order_seq_cst);
      if (tail >= head) return;
    }
  }

  std::uint64_t size() const noexcept { return std::uint64_t{1} << order_; }
  std::uint64_t bottom() const noexcept { return size() - 1; }
  std::uint64_t entry(std::uint64_t cycle, bool safe, std::uint64_t index) const noexcept {
    return cycle << (order_ + 1) | std::uint64_t{safe} << order_ | index;
  }
  std::uint64_t cycle(std::uint64_t entry) const noexcept { return entry >> (order_ + 1); }
  bool is_safe(std::uint64_t entry) const noexcept { return entry >> order_ & 1; }
  std::uint64_t index_of(std::uint64_t entry) const noexcept { return entry & bottom(); }

  // Neighboring positions lie on different lines: the 8 entries of a line are size / 8 positions apart.
  std::uint64_t place(std::uint64_t position) const noexcept {
    const std::uint64_t i = position & bottom();
    return (i << 3 | i >> (order_ - 3)) & bottom();
  }

  std::vector<atomic<std::uint64_t>> entries_;
  const int order_;  // log2 of the number of entries
  const std::int64_t longest_;
  alignas(cache_line) atomic<std::uint64_t> head_;
  alignas(cache_line) atomic<std::int64_t> threshold_;
  alignas(cache_line) atomic<std::uint64_t> tail_;
};

template <class T>
class Scq {
 public:
  explicit Scq(std::uint64_t capacity)
      : items_(capacity), free_(room(capacity), capacity), filled_(room(capacity), 0) {}

  /// False: full, or the place of an item that is being taken is not free again yet.
  bool try_push(const T& item) noexcept {
    const std::uint64_t index = free_.pop();
    if (index == IndexQueue::none) return false;
    items_[index] = item;
    filled_.push(index);
    return true;
  }
  bool try_pop(T& item) noexcept {
    const std::uint64_t index = filled_.pop();
    if (index == IndexQueue::none) return false;
    item = items_[index];
    free_.push(index);
    return true;
  }

 private:
  // S2, for a capacity below the number of threads.
  static std::uint64_t room(std::uint64_t capacity) { return std::bit_ceil(std::max<std::uint64_t>(capacity, 64)); }

  std::vector<T> items_;
  IndexQueue free_;
  IndexQueue filled_;
};

}  // namespace xichan::bench
