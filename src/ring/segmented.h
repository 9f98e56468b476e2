// Unbounded queue, many producers and many consumers, strict FIFO, exact emptiness.
//
// Algorithm: the slot protocol of MpmcRing over linked segments. Positions are never reused: the turn of a slot is the
// position it was published for, so a stale read of a reused slot cannot be mistaken for another. Segments stay mapped
// until the ring is destroyed; they are only reused, or emptied by the system, so reading a segment that has been
// retired meanwhile is harmless. After the list flavor of crossbeam-channel
// (https://github.com/crossbeam-rs/crossbeam), without its wait for a claimed slot.
// Progress: as MpmcRing within a segment; every few thousand items a short lock to link, retire or find a segment.
//
// Positions count items; the tail holds position * 2 + closed mark.
//
// Invariants
//   G1  a segment with base b holds the positions b .. b + slots - 1. It has one base at a time, and never the same
//       one twice.
//   G2  a segment is reused only after every position in it has been consumed and consumers have moved on to the next
//       segment, so never while one of its positions is claimed or full.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>

#include "base/atomic.h"
#include "ring/ring.h"
#include "sync/mutex.h"

namespace xichan::internal {

template <class T>
class SegmentedRing {
 public:
  explicit SegmentedRing(std::uint64_t first_position = 0) noexcept {
    const std::uint64_t start = first_position / slots * slots;
    head_.store(start, memory_order_relaxed);
    tail_.store(start * 2, memory_order_relaxed);
    Segment* first = map_segment(start);
    push_segment_.store(first, memory_order_relaxed);
    pop_segment_.store(first, memory_order_relaxed);
  }
  SegmentedRing(const SegmentedRing&) = delete;
  SegmentedRing& operator=(const SegmentedRing&) = delete;
  ~SegmentedRing() {
    while (mapped_ != nullptr) {
      Segment* next = mapped_->next_mapped;
      unmap(mapped_);
      mapped_ = next;
    }
  }

  bool valid() const noexcept { return mapped_ != nullptr; }

  /// Also returns `no_memory`.
  Status try_push(const T& item, Lane&) noexcept {
    for (;;) {
      std::uint64_t tail = tail_.load(memory_order_seq_cst);
      if (tail & mark) return Status::closed;
      const std::uint64_t position = tail / 2;
      Segment* segment = push_segment_.load(memory_order_acquire);
      if (!segment->covers(position)) {
        if (!extend(position)) return Status::no_memory;
        continue;
      }
      // Success means that the position was free until now, so its segment has not been retired: G2.
      if (!tail_.compare_exchange_weak(tail, tail + 2, memory_order_seq_cst, memory_order_relaxed)) continue;
      Slot& slot = segment->slot[position % slots];
      XICHAN_PLAIN(slot.item) = item;
      slot.turn.store(position + 1, memory_order_seq_cst);  // (11) publishes the item, with the load in published_head
      return Status::ok;
    }
  }

  Status try_pop(T& item) noexcept {
    for (;;) {
      std::uint64_t position;
      Segment* segment = published_head(position);
      if (segment == nullptr) {
        return tail_.load(memory_order_seq_cst) == (position * 2 | mark) ? Status::closed : Status::empty;
      }
      if (claim_head(segment, position, item)) return Status::ok;
    }
  }

  /// Pops the oldest item if more than `keep` items have been claimed by producers and not by consumers. Returns false
  /// if there are not, or if the oldest item is not published yet.
  bool try_pop_excess(T& item, std::uint64_t keep) noexcept {
    for (;;) {
      std::uint64_t position;
      Segment* segment = published_head(position);
      // The tail only grows, so the comparison still holds when the item is claimed.
      if (segment == nullptr || tail_.load(memory_order_seq_cst) / 2 - position <= keep) return false;
      if (claim_head(segment, position, item)) return true;
    }
  }

  void close() noexcept { tail_.fetch_or(mark, memory_order_seq_cst); }
  bool is_closed() const noexcept { return tail_.load(memory_order_seq_cst) & mark; }
  bool can_push() const noexcept { return !is_closed(); }
  bool can_pop() const noexcept {
    std::uint64_t position;
    return const_cast<SegmentedRing*>(this)->published_head(position) != nullptr;  // may advance to the next segment
  }

  std::uint64_t size() const noexcept {
    for (;;) {
      const std::uint64_t tail = tail_.load(memory_order_seq_cst);
      const std::uint64_t head = head_.load(memory_order_seq_cst);
      if (tail_.load(memory_order_seq_cst) == tail) return tail / 2 - head;
    }
  }
  std::uint64_t capacity() const noexcept { return UINT64_MAX; }
  std::uint64_t pushed() const noexcept { return tail_.load(memory_order_relaxed) / 2; }

 private:
  static constexpr std::uint64_t mark = 1;

  struct Slot {
    atomic<std::uint64_t> turn;
    plain<T> item;
  };
#ifdef XICHAN_RELACY
  static constexpr std::uint64_t slots = 2;
#else
  static constexpr std::size_t segment_bytes = 64 * 1024;
  static constexpr std::uint64_t slots = (segment_bytes - 64) / sizeof(Slot);
#endif
  struct Segment {
    atomic<std::uint64_t> base_plus_one;  // zero (fresh or emptied pages) covers nothing
    atomic<std::uint64_t> departures;
    Segment* next;  // in the order of positions; this and the next two are guarded by lock_
    Segment* next_free;
    Segment* next_mapped;
    Slot slot[slots];

    bool covers(std::uint64_t position) const noexcept {
      return base_plus_one.load(memory_order_acquire) == position / slots * slots + 1;
    }
  };

#ifdef XICHAN_RELACY
  static Segment* map() {
    Segment* segment = new Segment;
    segment->departures.store(0, memory_order_relaxed);
    segment->next = nullptr;
    empty(*segment);
    return segment;
  }
  static void unmap(Segment* segment) { delete segment; }
  static void empty(Segment& segment) {
    for (Slot& slot : segment.slot) slot.turn.store(0, memory_order_relaxed);
  }
#else
  static_assert(sizeof(Segment) <= segment_bytes);

  // Zeroed pages are a valid segment, so they stay untouched.
  static Segment* map() noexcept {
    void* memory = mmap(nullptr, segment_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? nullptr : static_cast<Segment*>(memory);
  }
  static void unmap(Segment* segment) noexcept { munmap(segment, segment_bytes); }
  // Returns all pages but the first to the system.
  static void empty(Segment& segment) noexcept {
    constexpr std::size_t kept = 4096;
    madvise(reinterpret_cast<std::byte*>(&segment) + kept, segment_bytes - kept, MADV_DONTNEED);
  }
#endif

  Segment* map_segment(std::uint64_t base) noexcept {
    Segment* segment = map();
    if (segment == nullptr) return nullptr;
    segment->next_mapped = mapped_;
    mapped_ = segment;
    segment->base_plus_one.store(base + 1, memory_order_release);
    return segment;
  }

  // Links the segment for `position`, unless another thread already has. Returns false if memory is exhausted.
  bool extend(std::uint64_t position) noexcept {
    std::lock_guard guard(lock_);
    Segment* last = push_segment_.load(memory_order_relaxed);
    const std::uint64_t base = position / slots * slots;
    if (last->base_plus_one.load(memory_order_relaxed) > base) return true;
    Segment* fresh = free_;
    if (fresh != nullptr) {
      free_ = fresh->next_free;
      fresh->departures.store(0, memory_order_relaxed);
      fresh->next = nullptr;
      fresh->base_plus_one.store(base + 1, memory_order_release);
    } else if ((fresh = map_segment(base)) == nullptr) {
      return false;
    }
    last->next = fresh;
    push_segment_.store(fresh, memory_order_release);
    return true;
  }

  // Takes the published item at the head. Returns false if another consumer has taken it.
  bool claim_head(Segment* segment, std::uint64_t position, T& item) noexcept {
    if (!head_.compare_exchange_weak(position, position + 1, memory_order_seq_cst, memory_order_relaxed)) return false;
    item = XICHAN_PLAIN(segment->slot[position % slots].item);
    if (leave(segment)) {
      std::lock_guard guard(lock_);
      recycle(segment);
    }
    return true;
  }

  // Returns the head's segment if the item at the head is published, else null. Stores the head in `position`.
  Segment* published_head(std::uint64_t& position) noexcept {
    for (;;) {
      position = head_.load(memory_order_seq_cst);
      Segment* segment = pop_segment_.load(memory_order_acquire);
      if (!segment->covers(position)) {
        if (advance(position)) continue;
      } else if (segment->slot[position % slots].turn.load(memory_order_seq_cst) == position + 1) {
        return segment;
      }
      if (head_.load(memory_order_seq_cst) == position) return nullptr;
    }
  }

  // Advances consumers to the segment for `position`. Returns false if that segment is not linked yet.
  bool advance(std::uint64_t position) noexcept {
    std::lock_guard guard(lock_);
    Segment* segment = pop_segment_.load(memory_order_relaxed);
    const std::uint64_t wanted = position / slots * slots + 1;
    if (segment->base_plus_one.load(memory_order_relaxed) >= wanted) return true;
    Segment* next = segment->next;
    if (next == nullptr) return false;
    pop_segment_.store(next, memory_order_release);
    if (leave(segment)) recycle(segment);
    return true;
  }

  // Counts a departure from a segment: one for each of its `slots` items, and one when consumers advance past it.
  // Returns true for the last.
  bool leave(Segment* segment) noexcept {
    // (12) acq_rel among all departures: every read of the segment happens before its reuse.
    return segment->departures.fetch_add(1, memory_order_acq_rel) == slots;
  }

  // Called under the lock. Keeps one idle segment ready; of further ones only the first page stays in memory.
  void recycle(Segment* segment) noexcept {
    if (free_ != nullptr) empty(*segment);
    segment->next_free = free_;
    free_ = segment;
  }

  alignas(cache_line) atomic<std::uint64_t> head_;
  alignas(cache_line) atomic<std::uint64_t> tail_;
  alignas(cache_line) atomic<Segment*> push_segment_;
  atomic<Segment*> pop_segment_;
  Mutex lock_;
  Segment* free_ = nullptr;
  Segment* mapped_ = nullptr;
};

static_assert(Ring<SegmentedRing<int>, int>);

}  // namespace xichan::internal
