// Bounded queue of any exact capacity, many producers and many consumers, strict FIFO.
//
// Algorithm: Dmitry Vyukov's bounded MPMC queue, with lap and index in one position word as in the array flavor of
// crossbeam-channel, and a closed mark in the tail. Source: https://www.1024cores.net (bounded MPMC queue),
// https://github.com/crossbeam-rs/crossbeam (crossbeam-channel/src/flavors/array.rs).
// Progress: no call waits for another. Not lock-free in the strict sense: while a producer is stopped between claim and
// publish, consumers at the head get `empty`; while a consumer is stopped likewise, producers get `full`.
//
// A position is  lap | closed mark (tail only) | index,  index < capacity. A slot's turn tells which operation it is
// ready for:
//   turn == lap         free for the producer at position (lap, index)
//   turn == lap + 1     holds the item of that producer
//   turn == next lap    free for the next lap
//
// Invariants
//   R1  a position is claimed by exactly one compare-and-swap of head or tail.
//   R2  between claim and the store to `turn` the slot belongs to the claimer alone.
//   R3  once the mark is set, tail's position never moves again.
//   R4  of slots claimed as a batch the first is published last: a thread at a later one has passed the first, and so
//       sees that slot published too.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <new>
#include <utility>

#include "arena/ring_memory.h"
#include "base/atomic.h"
#include "ring/ring.h"

namespace xichan::internal {

template <class T>
class MpmcRing {
 public:
  /// Requires `capacity` > 0. `first_lap` (rounded down to a whole lap) lets tests start just below the wrap of the
  /// counters. `valid()` is false if memory was exhausted.
  explicit MpmcRing(std::uint64_t capacity, std::uint64_t first_lap = 0) noexcept
      : capacity_(capacity), mark_(std::bit_ceil(capacity)), lap_(mark_ * 2), slots_(make_slots(capacity)) {
    const std::uint64_t start = first_lap & ~(lap_ - 1);
    head_.store(start, memory_order_relaxed);
    tail_.store(start, memory_order_relaxed);
    if (start == 0 || slots_ == nullptr) return;  // zeroed slots are ready for lap 0
    for (std::uint64_t i = 0; i < capacity; ++i) slots_[i].turn.store(start, memory_order_relaxed);
  }
  MpmcRing(const MpmcRing&) = delete;
  MpmcRing& operator=(const MpmcRing&) = delete;
  ~MpmcRing() { free_slots(slots_, capacity_); }

  bool valid() const noexcept { return slots_ != nullptr; }

  Status try_push(const T& item) noexcept {
    std::uint64_t tail = tail_.load(memory_order_acquire);  // (16)
    for (;;) {
      if (tail & mark_) return Status::closed;
      const SlotRef place = place_of(tail);
      // (1) with (4): the consumer has read the old item before we write the new one.
      if (place.slot.turn.load(memory_order_seq_cst) == place.lap) {
        // (16) The claim publishes only the position; the turn publishes the item (2).
        if (tail_.compare_exchange_weak(tail, next(tail), memory_order_release, memory_order_acquire)) {
          XICHAN_PLAIN(place.slot.item) = item;
          place.slot.turn.store(place.lap + 1, memory_order_seq_cst);  // (2)
          return Status::ok;
        }
        continue;
      }
      if (!moved(tail_, tail)) return Status::full;
    }
  }

  Status try_pop(T& item) noexcept {
    std::uint64_t head = head_.load(memory_order_acquire);  // (16)
    for (;;) {
      const SlotRef place = place_of(head);
      // (3) with (2): the item is written before we read it.
      if (place.slot.turn.load(memory_order_seq_cst) == place.lap + 1) {
        if (head_.compare_exchange_weak(head, next(head), memory_order_release, memory_order_acquire)) {
          item = XICHAN_PLAIN(place.slot.item);
          place.slot.turn.store(place.lap + lap_, memory_order_seq_cst);  // (4)
          return Status::ok;
        }
        continue;
      }
      if (!moved(head_, head)) return empty_or_closed(head);
    }
  }

  /// Pushes a prefix of `items` with one claim and stores its length in `done`: at least one with `ok`, else none.
  /// There may be room for more.
  Status try_push_many(const T* items, std::uint64_t count, std::uint64_t& done) noexcept {
    done = 0;
    std::uint64_t tail = tail_.load(memory_order_acquire);  // (16)
    for (;;) {
      if (tail & mark_) return Status::closed;
      const std::uint64_t free = contiguous_ready(tail, 0, count);
      if (free != 0) {
        if (!tail_.compare_exchange_weak(tail, next(tail, free), memory_order_release, memory_order_acquire)) continue;
        for (std::uint64_t i = free - 1; i != 0; --i) {
          const SlotRef later = place_of(next(tail, i));
          XICHAN_PLAIN(later.slot.item) = items[i];
          later.slot.turn.store(later.lap + 1, memory_order_release);  // (2)
        }
        const SlotRef first = place_of(tail);  // R4
        XICHAN_PLAIN(first.slot.item) = items[0];
        first.slot.turn.store(first.lap + 1, memory_order_seq_cst);  // (2)
        done = free;
        return Status::ok;
      }
      if (!moved(tail_, tail)) return Status::full;
    }
  }

  /// Pops up to `count` consecutive items with one claim, likewise.
  Status try_pop_many(T* items, std::uint64_t count, std::uint64_t& done) noexcept {
    done = 0;
    std::uint64_t head = head_.load(memory_order_acquire);  // (16)
    for (;;) {
      const std::uint64_t filled = contiguous_ready(head, 1, count);
      if (filled != 0) {
        if (!head_.compare_exchange_weak(head, next(head, filled), memory_order_release, memory_order_acquire))
          continue;
        for (std::uint64_t i = filled - 1; i != 0; --i) {
          const SlotRef later = place_of(next(head, i));
          items[i] = XICHAN_PLAIN(later.slot.item);
          later.slot.turn.store(later.lap + lap_, memory_order_release);  // (4)
        }
        const SlotRef first = place_of(head);  // R4
        items[0] = XICHAN_PLAIN(first.slot.item);
        first.slot.turn.store(first.lap + lap_, memory_order_seq_cst);  // (4)
        done = filled;
        return Status::ok;
      }
      if (!moved(head_, head)) return empty_or_closed(head);
    }
  }

  void close() noexcept { tail_.fetch_or(mark_, memory_order_seq_cst); }
  bool is_closed() const noexcept { return tail_.load(memory_order_seq_cst) & mark_; }

  bool can_pop() const noexcept { return slot_is_ready(head_, 1); }
  bool can_push() const noexcept { return !is_closed() && slot_is_ready(tail_, 0); }

  /// Returns the number of items claimed by producers and not yet by consumers, between 0 and the capacity.
  std::uint64_t size() const noexcept {
    for (;;) {
      const std::uint64_t tail = tail_.load(memory_order_seq_cst);
      const std::uint64_t head = head_.load(memory_order_seq_cst);
      if (tail_.load(memory_order_seq_cst) != tail) continue;  // both must belong to one moment
      const std::uint64_t laps = ((tail & ~(lap_ - 1)) - (head & ~(lap_ - 1))) / lap_;  // also across the wrap
      const std::uint64_t distance = laps * capacity_ + (tail & (mark_ - 1)) - (head & (mark_ - 1));
      // Claims order nothing else, so one of the two may be older than the other.
      return distance > UINT64_MAX / 2 ? 0 : std::min(distance, capacity_);
    }
  }
  std::uint64_t capacity() const noexcept { return capacity_; }
  /// Returns the number of items ever claimed by producers, counted from position zero.
  std::uint64_t pushed() const noexcept {
    const std::uint64_t tail = tail_.load(memory_order_relaxed);
    return tail / lap_ * capacity_ + (tail & (mark_ - 1));
  }
  std::uint64_t push_version() const noexcept { return tail_.load(memory_order_seq_cst); }
  std::uint64_t pop_version() const noexcept { return head_.load(memory_order_seq_cst); }

 private:
  struct Slot {
    atomic<std::uint64_t> turn;
    plain<T> item;
  };

  struct SlotRef {
    Slot& slot;
    std::uint64_t lap;
  };
  SlotRef place_of(std::uint64_t position) const noexcept {
    return {slots_[position & (mark_ - 1)], position & ~(lap_ - 1)};
  }

  // Reloads a counter and returns true if another thread has moved it, in which case the slot that was seen proves
  // nothing. Sequentially consistent with close(): a sender that registered as waiting before it came here sees the
  // mark.
  static bool moved(const atomic<std::uint64_t>& counter, std::uint64_t& position) noexcept {
    const std::uint64_t again = counter.load(memory_order_seq_cst);
    return std::exchange(position, again) != again;
  }

  // By R3 no push can succeed once the tail is marked, so a marked tail at the head's position means drained.
  Status empty_or_closed(std::uint64_t head) const noexcept {
    return tail_.load(memory_order_seq_cst) == (head | mark_) ? Status::closed : Status::empty;
  }

  // Returns true if the slot at the counter has the turn that its next user waits for.
  bool slot_is_ready(const atomic<std::uint64_t>& counter, std::uint64_t phase) const noexcept {
    std::uint64_t position = counter.load(memory_order_acquire);  // (16)
    do {
      if (contiguous_ready(position, phase, 1) != 0) return true;
    } while (moved(counter, position));
    return false;
  }

  // Returns how many slots from a position on have the turn that their next user waits for, at most `most`. Never more
  // than the capacity: after a full lap the first slot has the wrong turn.
  std::uint64_t contiguous_ready(std::uint64_t position, std::uint64_t phase, std::uint64_t most) const noexcept {
    std::uint64_t count = 0;
    for (; count < most; ++count, position = next(position)) {
      const SlotRef place = place_of(position);
      if (place.slot.turn.load(memory_order_seq_cst) != place.lap + phase) break;
    }
    return count;
  }

  std::uint64_t next(std::uint64_t position) const noexcept {
    const std::uint64_t index = position & (mark_ - 1);
    return index + 1 < capacity_ ? position + 1 : (position & ~(lap_ - 1)) + lap_;
  }
  // Requires `steps` <= capacity.
  std::uint64_t next(std::uint64_t position, std::uint64_t steps) const noexcept {
    const std::uint64_t index = (position & (mark_ - 1)) + steps;
    return index < capacity_ ? position + steps : (position & ~(lap_ - 1)) + lap_ + index - capacity_;
  }

#ifdef XICHAN_RELACY
  static Slot* make_slots(std::uint64_t capacity) {
    Slot* slots = new Slot[capacity];
    for (std::uint64_t i = 0; i < capacity; ++i) slots[i].turn.store(0, memory_order_relaxed);
    return slots;
  }
  static void free_slots(Slot* slots, std::uint64_t) { delete[] slots; }
#else
  // Zeroed pages cost nothing until they are used, so a large capacity is free at first.
  static Slot* make_slots(std::uint64_t capacity) noexcept {
    return static_cast<Slot*>(RingMemory::allocate(capacity * sizeof(Slot)));
  }
  static void free_slots(Slot* slots, std::uint64_t capacity) noexcept {
    if (slots != nullptr) RingMemory::free(slots, capacity * sizeof(Slot));
  }
#endif

  alignas(cache_line) const std::uint64_t capacity_;
  const std::uint64_t mark_;
  const std::uint64_t lap_;
  Slot* const slots_;
  alignas(cache_line) atomic<std::uint64_t> head_;
  alignas(cache_line) atomic<std::uint64_t> tail_;
};

static_assert(Ring<MpmcRing<int>, int>);

}  // namespace xichan::internal
