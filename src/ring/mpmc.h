// Bounded queue of any exact capacity, many producers and many consumers, strict FIFO.
//
// Algorithm: Dmitry Vyukov's bounded MPMC queue, with lap and index in one position word as in the array flavor of
// crossbeam-channel, and a closed mark in the tail. Source: https://www.1024cores.net (bounded MPMC queue),
// https://github.com/crossbeam-rs/crossbeam (crossbeam-channel/src/flavors/array.rs).
// Progress: no call waits for another. Not lock-free in the strict sense: a producer stopped between claim and publish
// holds up the head, and consumers are told `empty` until it goes on (and the mirror image for consumers).
//
// A position is  lap | closed mark (tail only) | index,  index < capacity. A slot's turn says whose it is:
//   turn == lap         free for the producer at position (lap, index)
//   turn == lap + 1     holds the item of that producer
//   turn == next lap    free for the next lap
//
// Invariants
//   R1  a position is claimed by exactly one compare-and-swap of head or tail.
//   R2  between claim and the store to `turn` the slot belongs to the claimer alone.
//   R3  once the mark is set, tail's position never moves again.
//   R4  of slots that were claimed in one piece the first is handed over last: who stands at a later one has come past
//       the first, and sees that slot handed over too.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>

#include "base/atomic.h"
#include "ring/ring.h"

namespace xichan::internal {

template <class T>
class MpmcRing {
 public:
  /// `capacity` > 0. `first_lap` (rounded down to a whole lap) lets tests start just below the wrap of the counters.
  /// Check `valid()` before use: it is false when there was no memory.
  explicit MpmcRing(std::uint64_t capacity, std::uint64_t first_lap = 0) noexcept
      : capacity_(capacity), mark_(std::bit_ceil(capacity)), lap_(mark_ * 2), slots_(make_slots(capacity)) {
    const std::uint64_t start = first_lap & ~(lap_ - 1);
    head_.store(start, memory_order_relaxed);
    tail_.store(start, memory_order_relaxed);
    if (start == 0 || slots_ == nullptr) return;  // zeroed slots are right for lap 0, and need not be touched
    for (std::uint64_t i = 0; i < capacity; ++i) slots_[i].turn.store(start, memory_order_relaxed);
  }
  MpmcRing(const MpmcRing&) = delete;
  MpmcRing& operator=(const MpmcRing&) = delete;
  ~MpmcRing() { free_slots(slots_); }

  bool valid() const noexcept { return slots_ != nullptr; }

  Status try_push(const T& item, Lane&) noexcept {
    std::uint64_t tail = tail_.load(memory_order_acquire);  // (16)
    for (;;) {
      if (tail & mark_) return Status::closed;
      const SlotRef place = place_of(tail);
      // (1) with (4): the consumer's read of the old item is over before we write the new one.
      if (place.slot.turn.load(memory_order_seq_cst) == place.lap) {
        // (16) The claim itself hands nothing over, the turn does. The new value is published with it (2).
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

  /// As many of the `items` as go in one piece, with one claim: `done`, at least one with `ok`, none with any other
  /// answer. There may be room for more.
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

  /// The mirror image: up to `count` items that stand in a row.
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

  /// Items claimed by producers and not yet by consumers; between 0 and the capacity.
  std::uint64_t size() const noexcept {
    for (;;) {
      const std::uint64_t tail = tail_.load(memory_order_seq_cst);
      const std::uint64_t head = head_.load(memory_order_seq_cst);
      if (tail_.load(memory_order_seq_cst) != tail) continue;  // so that both belong to one moment
      const std::uint64_t laps = ((tail & ~(lap_ - 1)) - (head & ~(lap_ - 1))) / lap_;  // also across the wrap
      const std::uint64_t distance = laps * capacity_ + (tail & (mark_ - 1)) - (head & (mark_ - 1));
      // Claims order nothing, so one of the two may be older than the other.
      return distance > UINT64_MAX / 2 ? 0 : std::min(distance, capacity_);
    }
  }
  std::uint64_t capacity() const noexcept { return capacity_; }
  /// Items ever claimed by producers, from position zero on.
  std::uint64_t pushed() const noexcept {
    const std::uint64_t tail = tail_.load(memory_order_relaxed);
    return tail / lap_ * capacity_ + (tail & (mark_ - 1));
  }

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

  // Somebody else may have moved a counter since it was read; what was seen of the slot then says nothing. Of the tail
  // sequentially consistent, with close(): a sender that registered as waiting before it came here sees the mark.
  static bool moved(const atomic<std::uint64_t>& counter, std::uint64_t& position) noexcept {
    const std::uint64_t again = counter.load(memory_order_seq_cst);
    return std::exchange(position, again) != again;
  }

  // By R3 a marked tail that stands where the head stands means that nothing can come any more.
  Status empty_or_closed(std::uint64_t head) const noexcept {
    return tail_.load(memory_order_seq_cst) == (head | mark_) ? Status::closed : Status::empty;
  }

  // Whether the slot at a position has the turn that its next user waits for.
  bool slot_is_ready(const atomic<std::uint64_t>& counter, std::uint64_t phase) const noexcept {
    std::uint64_t position = counter.load(memory_order_acquire);  // (16)
    do {
      if (contiguous_ready(position, phase, 1) != 0) return true;
    } while (moved(counter, position));
    return false;
  }

  // How many slots from a position on have the turn that their next user waits for; at most `most`, and by the turns of
  // the first slot's next lap never more than there are.
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
  // `steps` <= capacity positions on.
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
  static void free_slots(Slot* slots) { delete[] slots; }
#else
  // Zeroed pages cost nothing until they are used: a large capacity is not paid for in advance.
  static Slot* make_slots(std::uint64_t capacity) noexcept {
    return static_cast<Slot*>(std::calloc(capacity, sizeof(Slot)));
  }
  static void free_slots(Slot* slots) noexcept { std::free(slots); }
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
