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
//   turn == lap + 2     likewise, and the slot's line belongs to the item
//   turn == next lap    free for the next lap
//
// Invariants
//   R1  a position is claimed by exactly one compare-and-swap of head or tail.
//   R2  between claim and the store to `turn` the slot belongs to the claimer alone.
//       So does its line. The lines are an array of their own, which the first item with a line allocates.
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

/// `L` is what an item may have beside it, on a cache line of its own: items without a line neither read nor write it.
template <class T, class L = T>
class MpmcRing {
 public:
  /// A ring of more slots keeps no lines: their memory is not returned while the ring exists.
  static constexpr std::uint64_t most_lines = 1 << 14;

  /// Requires `capacity` > 0. `first_lap` (rounded down to a whole lap) lets tests start just below the wrap of the
  /// counters. `valid()` is false if memory was exhausted.
  explicit MpmcRing(std::uint64_t capacity, std::uint64_t first_lap = 0) noexcept
      : capacity_(capacity),
        mark_(std::bit_ceil(std::max<std::uint64_t>(capacity, 2))),  // so that lap + 2 is not the next lap
        lap_(mark_ * 2),
        slots_(make_slots(capacity)) {
    lines_.store(nullptr, memory_order_relaxed);
    const std::uint64_t start = first_lap & ~(lap_ - 1);
    head_.store(start, memory_order_relaxed);
    tail_.store(start, memory_order_relaxed);
    if (start == 0 || slots_ == nullptr) return;  // zeroed slots are ready for lap 0
    for (std::uint64_t i = 0; i < capacity; ++i) slots_[i].turn.store(start, memory_order_relaxed);
  }
  MpmcRing(const MpmcRing&) = delete;
  MpmcRing& operator=(const MpmcRing&) = delete;
  ~MpmcRing() {
    free_array(lines_.load(memory_order_relaxed), capacity_);
    free_array(slots_, capacity_);
  }

  bool valid() const noexcept { return slots_ != nullptr; }

  Status try_push(const T& item) noexcept { return push(item, nullptr, nullptr, nullptr); }
  /// Does the same, and stores the position of the item in `at`.
  Status push_at(const T& item, std::uint64_t& at) noexcept { return push(item, nullptr, nullptr, &at); }
  /// Pushes an item with a line. Returns `no_memory` if the ring has no lines.
  Status try_push(const T& item, const L& line) noexcept {
    plain<L>* const lines = get_lines();
    return lines == nullptr ? Status::no_memory : push(item, lines, &line, nullptr);
  }

  /// Returns `full` if the next item has a line.
  Status try_pop(T& item) noexcept { return pop(item, nullptr, nullptr); }
  /// Pops an item, and its line if it has one.
  Status try_pop(T& item, L& line) noexcept { return pop(item, &line, nullptr); }
  /// Does the same, and stores the position of the item in `at`.
  Status pop_at(T& item, L& line, std::uint64_t& at) noexcept { return pop(item, &line, &at); }
  Status pop_at(T& item, std::uint64_t& at) noexcept { return pop(item, nullptr, &at); }

  /// Pushes a prefix of `items` with one claim and stores its length in `done`: at least one with `ok`, else none.
  /// There may be room for more. Items of a batch have no lines. Stores the position of the first one in `at`, unless
  /// that is null.
  Status try_push_many(const T* items, std::uint64_t count, std::uint64_t& done, std::uint64_t* at = nullptr) noexcept {
    done = 0;
    std::uint64_t tail = tail_.load(memory_order_acquire);  // (16)
    for (;;) {
      if (tail & mark_) return Status::closed;
      const std::uint64_t free = contiguous_ready(tail, 0, count);
      if (free != 0) {
        if (!tail_.compare_exchange_weak(tail, next(tail, free), memory_order_release, memory_order_acquire)) continue;
        if (at != nullptr) *at = tail;
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

  /// Pops up to `count` consecutive items with one claim, likewise. Returns `full` if the next item has a line.
  Status try_pop_many(T* items, std::uint64_t count, std::uint64_t& done, std::uint64_t* at = nullptr) noexcept {
    return pop_many(items, nullptr, count, done, at);
  }
  /// Pops items with and without lines. The line of an item goes to the same place of `lines`.
  Status try_pop_many(T* items, L* lines, std::uint64_t count, std::uint64_t& done,
                      std::uint64_t* at = nullptr) noexcept {
    return pop_many(items, lines, count, done, at);
  }

  void close() noexcept { tail_.fetch_or(mark_, memory_order_seq_cst); }
  bool is_closed() const noexcept { return tail_.load(memory_order_seq_cst) & mark_; }

  bool can_pop() const noexcept {
    return is_ready(head_, [this](std::uint64_t head) noexcept {
      return contiguous_ready(head, 1, 1) != 0 || has_line(place_of(head));
    });
  }
  bool can_push() const noexcept {
    const auto is_free = [this](std::uint64_t tail) noexcept { return contiguous_ready(tail, 0, 1) != 0; };
    return !is_closed() && is_ready(tail_, is_free);
  }

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
  /// Returns the number of the item at a position, which counts the items ever pushed.
  std::uint64_t number_of(std::uint64_t position) const noexcept {
    return position / lap_ * capacity_ + (position & (mark_ - 1));
  }
  /// Returns the number of items ever claimed by producers, counted from position zero.
  std::uint64_t pushed() const noexcept { return number_of(tail_.load(memory_order_relaxed)); }
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
    std::uint64_t index;
  };

  // Pushes an item, and its line unless that is null. Stores its position unless `at` is null.
  [[gnu::always_inline]] Status push(const T& item, [[maybe_unused]] plain<L>* lines, const L* line,
                                     std::uint64_t* at) noexcept {
    std::uint64_t tail = tail_.load(memory_order_acquire);  // (16)
    for (;;) {
      if (tail & mark_) return Status::closed;
      const SlotRef place = place_of(tail);
      // (1) with (4): the consumer has read the old item before we write the new one.
      if (place.slot.turn.load(memory_order_seq_cst) == place.lap) {
        // (16) The claim publishes only the position; the turn publishes the item (2).
        if (tail_.compare_exchange_weak(tail, next(tail, place), memory_order_release, memory_order_acquire)) {
          if (at != nullptr) *at = tail;
          XICHAN_PLAIN(place.slot.item) = item;
          if (line != nullptr) XICHAN_PLAIN(lines[place.index]) = *line;
          place.slot.turn.store(place.lap + (line == nullptr ? 1 : 2), memory_order_seq_cst);  // (2)
          return Status::ok;
        }
        continue;
      }
      if (!moved(tail_, tail)) return Status::full;
    }
  }

  // Pops an item, and its line unless `line` is null. Stores its position unless `at` is null.
  [[gnu::always_inline]] Status pop(T& item, L* line, std::uint64_t* at) noexcept {
    std::uint64_t head = head_.load(memory_order_acquire);  // (16)
    for (;;) {
      const SlotRef place = place_of(head);
      // (3) with (2): the item is written before we read it.
      if (place.slot.turn.load(memory_order_seq_cst) == place.lap + 1) {
        if (head_.compare_exchange_weak(head, next(head, place), memory_order_release, memory_order_acquire)) {
          if (at != nullptr) *at = head;
          item = XICHAN_PLAIN(place.slot.item);
          place.slot.turn.store(place.lap + lap_, memory_order_seq_cst);  // (4)
          return Status::ok;
        }
        continue;
      }
      if (has_line(place)) {
        if (line == nullptr) return Status::full;
        if (!head_.compare_exchange_weak(head, next(head, place), memory_order_release, memory_order_acquire)) continue;
        if (at != nullptr) *at = head;
        item = XICHAN_PLAIN(place.slot.item);
        *line = XICHAN_PLAIN(lines_.load(memory_order_relaxed)[place.index]);  // not null, by (2)
        place.slot.turn.store(place.lap + lap_, memory_order_seq_cst);         // (4)
        return Status::ok;
      }
      if (!moved(head_, head)) return empty_or_closed(head);
    }
  }

  // Pops consecutive items, only those without a line if `lines` is null.
  [[gnu::always_inline]] Status pop_many(T* items, L* lines, std::uint64_t count, std::uint64_t& done,
                                         std::uint64_t* at) noexcept {
    done = 0;
    std::uint64_t head = head_.load(memory_order_acquire);  // (16)
    for (;;) {
      const std::uint64_t filled = lines == nullptr ? contiguous_ready(head, 1, count) : contiguous_filled(head, count);
      if (filled != 0) {
        if (!head_.compare_exchange_weak(head, next(head, filled), memory_order_release, memory_order_acquire))
          continue;
        if (at != nullptr) *at = head;
        for (std::uint64_t i = filled - 1; i != 0; --i) {
          const SlotRef later = place_of(next(head, i));
          copy_item(later, items, lines, i);
          later.slot.turn.store(later.lap + lap_, memory_order_release);  // (4)
        }
        const SlotRef first = place_of(head);  // R4
        copy_item(first, items, lines, 0);
        first.slot.turn.store(first.lap + lap_, memory_order_seq_cst);  // (4)
        done = filled;
        return Status::ok;
      }
      if (lines == nullptr && has_line(place_of(head))) return Status::full;
      if (!moved(head_, head)) return empty_or_closed(head);
    }
  }
  // Copies the item of a slot that is claimed to items[i], and its line, if it has one, to lines[i].
  [[gnu::always_inline]] void copy_item(const SlotRef& place, T* items, L* lines, std::uint64_t i) const noexcept {
    items[i] = XICHAN_PLAIN(place.slot.item);
    if (lines != nullptr && has_line(place)) {
      lines[i] = XICHAN_PLAIN(lines_.load(memory_order_relaxed)[place.index]);  // not null, by (2)
    }
  }

  SlotRef place_of(std::uint64_t position) const noexcept {
    const std::uint64_t index = position & (mark_ - 1);
    return {slots_[index], position & ~(lap_ - 1), index};
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

  // Returns true if the slot at the counter has a turn that its next user waits for.
  template <class Test>
  static bool is_ready(const atomic<std::uint64_t>& counter, Test test) noexcept {
    std::uint64_t position = counter.load(memory_order_acquire);  // (16)
    do {
      if (test(position)) return true;
    } while (moved(counter, position));
    return false;
  }
  static bool has_line(const SlotRef& place) noexcept {
    return place.slot.turn.load(memory_order_seq_cst) == place.lap + 2;
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

  // Likewise, for the slots that hold items, with and without lines.
  std::uint64_t contiguous_filled(std::uint64_t position, std::uint64_t most) const noexcept {
    std::uint64_t count = 0;
    for (; count < most; ++count, position = next(position)) {
      const SlotRef place = place_of(position);
      if (place.slot.turn.load(memory_order_seq_cst) - place.lap - 1 > 1) break;
    }
    return count;
  }

  std::uint64_t next(std::uint64_t position) const noexcept { return next(position, place_of(position)); }
  // Does the same where the slot at the position is known: the compiler would read the members again.
  std::uint64_t next(std::uint64_t position, const SlotRef& place) const noexcept {
    return place.index + 1 < capacity_ ? position + 1 : place.lap + lap_;
  }
  // Requires `steps` <= capacity.
  std::uint64_t next(std::uint64_t position, std::uint64_t steps) const noexcept {
    const std::uint64_t index = (position & (mark_ - 1)) + steps;
    return index < capacity_ ? position + steps : (position & ~(lap_ - 1)) + lap_ + index - capacity_;
  }

  // Returns the lines, which the first call allocates. Null if there are none.
  plain<L>* get_lines() noexcept {
    // (23) acquire, with the release half of the exchange in make_lines.
    plain<L>* const lines = lines_.load(memory_order_acquire);
    return lines != nullptr ? lines : make_lines();
  }
  [[gnu::noinline]] plain<L>* make_lines() noexcept {
    if (capacity_ > most_lines) return nullptr;
    plain<L>* const fresh = make_array<plain<L>>(capacity_);
    if (fresh == nullptr) return nullptr;
    plain<L>* seen = nullptr;
    if (lines_.compare_exchange_strong(seen, fresh, memory_order_acq_rel, memory_order_acquire)) return fresh;  // (23)
    free_array(fresh, capacity_);
    return seen;
  }

#ifdef XICHAN_RELACY
  static Slot* make_slots(std::uint64_t capacity) {
    Slot* slots = new Slot[capacity];
    for (std::uint64_t i = 0; i < capacity; ++i) slots[i].turn.store(0, memory_order_relaxed);
    return slots;
  }
  template <class Part>
  static Part* make_array(std::uint64_t capacity) {
    return new Part[capacity];
  }
  template <class Part>
  static void free_array(Part* parts, std::uint64_t) {
    delete[] parts;
  }
#else
  static Slot* make_slots(std::uint64_t capacity) noexcept { return make_array<Slot>(capacity); }
  // Zeroed pages cost nothing until they are used, so a large capacity is free at first.
  template <class Part>
  static Part* make_array(std::uint64_t capacity) noexcept {
    return static_cast<Part*>(RingMemory::allocate(capacity * sizeof(Part)));
  }
  template <class Part>
  static void free_array(Part* parts, std::uint64_t capacity) noexcept {
    if (parts != nullptr) RingMemory::free(parts, capacity * sizeof(Part));
  }
#endif

  alignas(cache_line) const std::uint64_t capacity_;
  const std::uint64_t mark_;
  const std::uint64_t lap_;
  Slot* const slots_;
  atomic<plain<L>*> lines_;
  alignas(cache_line) atomic<std::uint64_t> head_;
  alignas(cache_line) atomic<std::uint64_t> tail_;
};

static_assert(Ring<MpmcRing<int>, int>);

}  // namespace xichan::internal
