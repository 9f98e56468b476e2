// Unbounded queue, many producers and many consumers, strict FIFO, exact emptiness.
//
// Algorithm: the slot protocol of MpmcRing over linked segments. Segments are appended like the nodes of FAAArrayQueue
// (Pedro Ramalhete and Andreia Correia, http://concurrencyfreaks.blogspot.com/2016/11/) and of Michael and Scott's
// queue (PODC 1996): a compare-and-swap of the last segment's `next`, after which any thread moves the shared links on.
// A thread that loses keeps its segment for the next time. Positions are never reused: the turn of a slot is the
// position it was published for, so a stale read of a reused slot cannot be mistaken for another. Segments stay mapped
// until the ring is destroyed; they are only reused, or emptied by the system, so reading a segment that has been
// retired meanwhile is harmless. Progress: no call waits for another, also while a thread is stopped as it links,
// retires or takes a segment. Between claim and publication as MpmcRing.
//
// Positions count items; the tail holds position * 2 + closed mark. A link holds the address of a segment and the low
// bits of its number (position / slots). A link repeats only after 2^28 segments (7 * 10^11 items), so that the
// compare-and-swap of a thread that was stopped meanwhile fails.
//
// Invariants
//   G1  segment n holds the positions n * slots .. (n + 1) * slots - 1. A segment has one number at a time, and never
//       the same one twice.
//   G2  a segment is reused only after every position in it has been consumed and both shared links have moved on to
//       the next segment, so never while one of its positions is claimed or full.
//   G3  `pop_segment_` never passes `push_segment_`: a consumer moves the latter on first.
//   G4  the `next` of segment n is unlinked(n) until segment n + 1 is linked. No other linked segment ever holds that
//       value, so a thread that was stopped as it linked n + 1 cannot link it to a segment that is used again.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>

#include "arena/ring_memory.h"
#include "base/atomic.h"
#include "ring/ring.h"

namespace xichan::internal {

template <class T>
class SegmentedRing {
 public:
  explicit SegmentedRing(std::uint64_t first_position = 0) noexcept {
    const std::uint64_t number = first_position / slots;
    head_.store(number * slots, memory_order_relaxed);
    tail_.store(number * slots * 2, memory_order_relaxed);
    idle_.store(0, memory_order_relaxed);
    mapped_.store(nullptr, memory_order_relaxed);
    Segment* first = map_segment();
    if (first != nullptr) first->next.store(unlinked(number), memory_order_relaxed);
    push_segment_.store(link_to(first, number), memory_order_relaxed);
    pop_segment_.store(link_to(first, number), memory_order_relaxed);
  }
  SegmentedRing(const SegmentedRing&) = delete;
  SegmentedRing& operator=(const SegmentedRing&) = delete;
  ~SegmentedRing() {
    for (Segment* segment = mapped_.load(memory_order_relaxed); segment != nullptr;) {
      Segment* next = segment->next_mapped;
      unmap(segment);
      segment = next;
    }
  }

  bool valid() const noexcept { return mapped_.load(memory_order_relaxed) != nullptr; }

  /// Also returns `no_memory` and `arena_full`.
  Status try_push(const T& item) noexcept {
    std::uint64_t at;
    return push_at(item, at);
  }
  /// Does the same, and stores the position of the item in `at`.
  [[gnu::always_inline]] Status push_at(const T& item, std::uint64_t& at) noexcept {
    for (;;) {
      std::uint64_t tail = tail_.load(memory_order_seq_cst);
      if (tail & mark) return Status::closed;
      const std::uint64_t position = tail / 2;
      const std::uint64_t link = push_segment_.load(memory_order_acquire);  // (17)
      if (!is_link_to(link, position / slots)) {
        if (!extend(link, position / slots)) return RingMemory::failure();
        continue;
      }
      // Success means that the position was free until now, so its segment has not been retired: G2.
      if (!tail_.compare_exchange_weak(tail, tail + 2, memory_order_seq_cst, memory_order_relaxed)) continue;
      at = position;
      Slot& slot = segment_of(link)->slot[position % slots];
      XICHAN_PLAIN(slot.item) = item;
      slot.turn.store(position + 1, memory_order_seq_cst);  // (11) publishes the item, with the load in published_head
      return Status::ok;
    }
  }

  Status try_pop(T& item) noexcept {
    std::uint64_t at;
    return pop_at(item, at);
  }
  /// Does the same, and stores the position of the item in `at`.
  [[gnu::always_inline]] Status pop_at(T& item, std::uint64_t& at) noexcept {
    for (;;) {
      Segment* segment = published_head(at);
      if (segment == nullptr) return empty_or_closed(at);
      if (claim_head(segment, at, item)) return Status::ok;
    }
  }

  /// Pops up to `count` consecutive items with one claim, across segments, and stores their number in `done`: at least
  /// one with `ok`, else none. All that are published when it begins, unless other consumers take the first ones.
  /// Stores the position of the first one in `at`, unless that is null.
  Status try_pop_many(T* items, std::uint64_t count, std::uint64_t& done, std::uint64_t* at = nullptr) noexcept {
    done = 0;
    std::uint64_t end = 0;  // of the items that were seen published, and stay so until they are claimed
    for (;;) {
      std::uint64_t position;
      Segment* segment = published_head(position);
      if (segment == nullptr) return empty_or_closed(position);
      if (end <= position) end = published_end(segment, position, count);
      const std::uint64_t begin = position;
      if (!head_.compare_exchange_weak(position, end, memory_order_seq_cst, memory_order_relaxed)) continue;
      if (at != nullptr) *at = begin;
      for (position = begin;;) {
        items[done++] = XICHAN_PLAIN(segment->slot[position % slots].item);
        Segment* following = segment;
        if (++position % slots == 0 && position != end) {
          // Before the departure, after which the segment may be reused. relaxed: published_end has read the same.
          following = segment_at(segment->next.load(memory_order_relaxed));
        }
        if (leave(segment)) recycle(segment);
        if (position == end) return Status::ok;
        segment = following;
      }
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
  std::uint64_t push_version() const noexcept { return tail_.load(memory_order_seq_cst); }
  std::uint64_t pop_version() const noexcept { return head_.load(memory_order_seq_cst); }

 private:
  static constexpr std::uint64_t mark = 1;

  struct Slot {
    atomic<std::uint64_t> turn;
    plain<T> item;
  };
#ifdef XICHAN_RELACY
  static constexpr std::uint64_t slots = 2;
  static constexpr unsigned aligned_bits = 3;
#else
  static constexpr std::size_t segment_bytes = 64 * 1024;
  static constexpr std::uint64_t slots = (segment_bytes - 64) / sizeof(Slot);
  static constexpr unsigned aligned_bits = 12;  // a page
#endif
  struct Segment {
    atomic<std::uint64_t> next;  // the address of the next segment, or unlinked(number): G4
    atomic<std::uint64_t> departures;
    atomic<Segment*> next_idle;
    Segment* next_mapped;  // constant
    bool is_charged;       // to the byte limit; belongs to the thread that empties or takes the segment
    Slot slot[slots];
  };

  static constexpr std::uint64_t unlinked(std::uint64_t number) noexcept { return number * 2 + 1; }
  static constexpr bool is_unlinked(std::uint64_t next) noexcept { return next & 1; }
  static std::uint64_t address_of(const Segment* segment) noexcept { return reinterpret_cast<std::uintptr_t>(segment); }
  static Segment* segment_at(std::uint64_t address) noexcept { return reinterpret_cast<Segment*>(address); }

  // Links. Without a hint the kernel maps nothing above 48 bits of addresses.
  static constexpr unsigned number_bits = 16 + aligned_bits;
  static constexpr std::uint64_t number_mask = (std::uint64_t{1} << number_bits) - 1;
  static std::uint64_t link_to(const Segment* segment, std::uint64_t number) noexcept {
    return address_of(segment) << 16 | (number & number_mask);
  }
  static bool is_link_to(std::uint64_t link, std::uint64_t number) noexcept {
    return ((link ^ number) & number_mask) == 0;
  }
  static Segment* segment_of(std::uint64_t link) noexcept { return segment_at(link >> number_bits << aligned_bits); }

#ifdef XICHAN_RELACY
  static Segment* map() {
    if (!RingMemory::charge(1)) return nullptr;
    Segment* segment = new Segment;
    segment->departures.store(0, memory_order_relaxed);
    empty(*segment);
    return segment;
  }
  static void unmap(Segment* segment) { delete segment; }
  static bool refill(Segment&) { return true; }
  static void empty(Segment& segment) {
    for (Slot& slot : segment.slot) slot.turn.store(0, memory_order_relaxed);
  }
#else
  static_assert(sizeof(Segment) <= segment_bytes);

  // Zeroed pages are a valid segment, so they stay untouched.
  static Segment* map() noexcept {
    if (!RingMemory::charge(segment_bytes)) return nullptr;
    void* memory = mmap(nullptr, segment_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED) return static_cast<Segment*>(memory);
    RingMemory::refund(segment_bytes);
    return nullptr;
  }
  static void unmap(Segment* segment) noexcept {
    if (segment->is_charged) RingMemory::refund(segment_bytes);
    // The kernel merges segments that lie side by side into one mapping, so this may need one mapping more.
    if (munmap(segment, segment_bytes) != 0) madvise(segment, segment_bytes, MADV_DONTNEED);
  }
  // Returns all pages but the first to the system.
  static void empty(Segment& segment) noexcept {
    constexpr std::size_t kept = 4096;
    if (madvise(reinterpret_cast<std::byte*>(&segment) + kept, segment_bytes - kept, MADV_DONTNEED) != 0) return;
    RingMemory::refund(segment_bytes);
    segment.is_charged = false;
  }
  // Called before an idle segment is used again.
  static bool refill(Segment& segment) noexcept {
    return segment.is_charged || (segment.is_charged = RingMemory::charge(segment_bytes));
  }
#endif

  Segment* map_segment() noexcept {
    Segment* segment = map();
    if (segment == nullptr) return nullptr;
    segment->is_charged = true;
    segment->next_mapped = mapped_.load(memory_order_relaxed);
    while (!mapped_.compare_exchange_weak(segment->next_mapped, segment, memory_order_relaxed, memory_order_relaxed)) {
    }
    return segment;
  }

  // Returns a segment that is not linked, or null without memory.
  Segment* unlinked_segment() noexcept {
    Segment* segment = take_idle();
    if (segment == nullptr) return map_segment();
    if (refill(*segment)) return segment;
    put_idle(segment);
    return nullptr;
  }

  // Links segment `number` behind the last one, of which the caller has read `link`, unless another thread already has.
  // Returns false if memory is exhausted.
  bool extend(std::uint64_t link, std::uint64_t number) noexcept {
    if (!is_link_to(link, number - 1)) return true;  // others have moved on
    Segment* last = segment_of(link);
    std::uint64_t next = last->next.load(memory_order_seq_cst);  // (17)
    if (next == unlinked(number - 1)) {
      Segment* fresh = unlinked_segment();
      if (fresh == nullptr) return last->next.load(memory_order_seq_cst) != next;
      fresh->departures.store(0, memory_order_relaxed);
      fresh->next.store(unlinked(number), memory_order_relaxed);
      // (17) publishes the segment. Sequentially consistent with the load in advance(), by which a consumer that
      // registered as waiting decides that there is nothing.
      if (last->next.compare_exchange_strong(next, address_of(fresh), memory_order_seq_cst, memory_order_seq_cst)) {
        next = address_of(fresh);
      } else {
        put_idle(fresh);
      }
    }
    if (!is_unlinked(next)) move(push_segment_, link, next, number);  // else `last` is used again, and `link` is old
    return true;
  }

  Status empty_or_closed(std::uint64_t head) const noexcept {
    return tail_.load(memory_order_seq_cst) == (head * 2 | mark) ? Status::closed : Status::empty;
  }

  // Returns the end of the published items from `position` on, at most `count`, which is not zero. The one at
  // `position`, in this segment, is published. If the segment is reused meanwhile, no later turn fits.
  static std::uint64_t published_end(const Segment* segment, std::uint64_t position, std::uint64_t count) noexcept {
    std::uint64_t end = position + 1;
    for (; end - position < count; ++end) {
      if (end % slots == 0) {
        const std::uint64_t next = segment->next.load(memory_order_acquire);  // (17)
        if (is_unlinked(next)) break;
        segment = segment_at(next);
      }
      if (segment->slot[end % slots].turn.load(memory_order_acquire) != end + 1) break;  // with (11)
    }
    return end;
  }

  // Takes the published item at the head. Returns false if another consumer has taken it.
  bool claim_head(Segment* segment, std::uint64_t position, T& item) noexcept {
    if (!head_.compare_exchange_weak(position, position + 1, memory_order_seq_cst, memory_order_relaxed)) return false;
    item = XICHAN_PLAIN(segment->slot[position % slots].item);
    if (leave(segment)) recycle(segment);
    return true;
  }

  // Returns the head's segment if the item at the head is published, else null. Stores the head in `position`.
  Segment* published_head(std::uint64_t& position) noexcept {
    for (;;) {
      position = head_.load(memory_order_seq_cst);
      const std::uint64_t link = pop_segment_.load(memory_order_acquire);  // (17)
      Segment* segment = segment_of(link);
      if (!is_link_to(link, position / slots)) {
        if (advance(link, position / slots)) continue;
      } else if (segment->slot[position % slots].turn.load(memory_order_seq_cst) == position + 1) {
        return segment;
      }
      if (head_.load(memory_order_seq_cst) == position) return nullptr;
    }
  }

  // Advances consumers from the segment of `link` to the following one, on the way to segment `number`. Returns false
  // if that one is not linked yet.
  bool advance(std::uint64_t link, std::uint64_t number) noexcept {
    const std::uint64_t behind = (number - link) & number_mask;  // more than 1 if items of several segments are claimed
    if (behind > number_mask / 2) return true;                   // others have moved on
    number -= behind - 1;
    Segment* segment = segment_of(link);
    const std::uint64_t next = segment->next.load(memory_order_seq_cst);  // (17)
    if (next == unlinked(number - 1)) return false;
    if (is_unlinked(next)) return true;       // the segment is used again, and `link` is old
    move(push_segment_, link, next, number);  // G3
    if (move(pop_segment_, link, next, number) && leave(segment)) recycle(segment);
    return true;
  }

  // Moves a shared link on to segment `number`. Returns false if another thread already has.
  static bool move(atomic<std::uint64_t>& shared, std::uint64_t link, std::uint64_t next,
                   std::uint64_t number) noexcept {
    // (17) publishes the segment to threads that read the link; the compare-and-swap of `next` published it to us.
    return shared.compare_exchange_strong(link, link_to(segment_at(next), number), memory_order_release,
                                          memory_order_relaxed);
  }

  // Counts a departure from a segment: one for each of its `slots` items, and one when consumers advance past it.
  // Returns true for the last.
  bool leave(Segment* segment) noexcept {
    // (12) acq_rel among all departures: every read of the segment happens before its reuse.
    return segment->departures.fetch_add(1, memory_order_acq_rel) == slots;
  }

  // Keeps one idle segment ready; of further ones only the first page stays in memory.
  void recycle(Segment* segment) noexcept {
    if (segment_of(idle_.load(memory_order_relaxed)) != nullptr) empty(*segment);
    put_idle(segment);
  }

  // The idle segments are a stack (Treiber 1986). The number in its link counts the segments taken, so that a stack
  // whose first segment was taken and put back meanwhile is not mistaken for an untouched one.
  void put_idle(Segment* segment) noexcept {
    std::uint64_t top = idle_.load(memory_order_relaxed);
    do {
      segment->next_idle.store(segment_of(top), memory_order_relaxed);
      // (18) the last use of a segment comes before its next one.
    } while (!idle_.compare_exchange_weak(top, link_to(segment, top), memory_order_release, memory_order_relaxed));
  }
  Segment* take_idle() noexcept {
    std::uint64_t top = idle_.load(memory_order_acquire);  // (18)
    while (Segment* segment = segment_of(top)) {
      const Segment* rest = segment->next_idle.load(memory_order_relaxed);
      if (idle_.compare_exchange_weak(top, link_to(rest, top + 1), memory_order_acquire, memory_order_acquire)) {
        return segment;
      }
    }
    return nullptr;
  }

  alignas(cache_line) atomic<std::uint64_t> head_;
  alignas(cache_line) atomic<std::uint64_t> tail_;
  alignas(cache_line) atomic<std::uint64_t> push_segment_;  // links
  atomic<std::uint64_t> pop_segment_;
  atomic<std::uint64_t> idle_;  // a link to the top of the stack
  atomic<Segment*> mapped_;     // all segments
};

static_assert(Ring<SegmentedRing<int>, int>);

}  // namespace xichan::internal
