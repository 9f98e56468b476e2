// A pointer that many threads read while others replace it, with the object it points to freed by its last reader.
//
// Algorithm: differential reference counts, as in folly's AtomicSharedPtr (D. Vyukov described the scheme in 2009). The
// word holds the pointer and the number of readers that came by it since the last fold; a reader adds itself and gets
// the pointer in one step, so that it cannot be freed in between. The object has a count of its own. While the word
// points to it, that count has the weight `held`; a reader that leaves subtracts one there. The thread that replaces
// the pointer moves the number of readers from the word to the object and takes the weight away. The count is zero
// exactly once: after the pointer was replaced and every reader has left.
//
// Chosen over hazard pointers and epochs, because nothing is ever kept waiting for other threads: an object is freed by
// the thread that lets go of it last, at once. A thread that stops holds the one object that it reads, and no other.
// The price is two read-modify-write instructions per read. A short read makes both on the word, so that the line of
// the object, which other threads read too, is not written.
//
// Invariants
//   S1  count = held * (words that point to it) + readers that are counted in no word - readers that left by the count.
//       Readers of an object are equal: one that leaves by a word takes back any that is counted there.
//   S2  the number in a word never exceeds `most_readers`: a reader that finds it there waits for a fold. That takes
//       `most_readers - fold_at` threads that stop between adding themselves and folding.
//   S3  the object is immutable while a word points to it, apart from the count and what it declares atomic.
//
// Progress: acquire is lock-free (S2), release and replace are lock-free. Thread safety: any thread.
#pragma once

#include <cstdint>

#include "base/atomic.h"

namespace xichan::internal {

/// The count of an object that SnapshotPointers point to. Objects are aligned to 16 and lie below 2^48.
class Snapshot {
 public:
  static constexpr std::int64_t held = std::int64_t{1} << 40;

  Snapshot() noexcept { count_.store(0, memory_order_relaxed); }

  /// Adds to the count: the weight of a word, or readers. Returns true if it became zero: the caller frees the object.
  [[nodiscard]] bool add(std::int64_t amount) noexcept {
    // (30) release, with the acquire half in the thread that frees the object: all reads of it happen before.
    return count_.fetch_add(amount, memory_order_acq_rel) == -amount;
  }

 private:
  atomic<std::int64_t> count_;
};

/// `T` derives from Snapshot. `marks` are up to four bits that are stored beside the pointer.
template <class T>
class SnapshotPointer {
 public:
  static constexpr unsigned mark_bits = 4;
#ifdef XICHAN_RELACY
  static constexpr std::uint64_t most_readers = 3, fold_at = 2;
#else
  static constexpr std::uint64_t most_readers = 0xffff, fold_at = 0x4000;
#endif

  SnapshotPointer() noexcept { word_.store(0, memory_order_relaxed); }
  SnapshotPointer(const SnapshotPointer&) = delete;
  SnapshotPointer& operator=(const SnapshotPointer&) = delete;

  /// Reads the marks, and whether there is an object. Other threads may change both at any moment.
  struct Seen {
    std::uint64_t word;
    bool is_null() const noexcept { return (word & address_mask) == 0; }
    unsigned marks() const noexcept { return static_cast<unsigned>(word & mark_mask); }
  };
  Seen look() const noexcept { return {word_.load(memory_order_acquire)}; }
  /// Returns true if the word points to no object. Sequentially consistent, as is `take`.
  bool is_empty() const noexcept { return (word_.load(memory_order_seq_cst) & address_mask) == 0; }

  /// Returns the object, or null, for a caller that excludes all changes.
  T* peek() const noexcept { return object_of(word_.load(memory_order_relaxed)); }

  /// Returns the object, which the caller passes to `leave` later, or null.
  T* enter() noexcept {
    // (31) acquire, with (32): the object was constructed before it was published; and null was stored after what its
    // writer did before.
    std::uint64_t word = word_.load(memory_order_acquire);
    for (;;) {
      if ((word & address_mask) == 0) return nullptr;
      const std::uint64_t readers = word >> count_shift;
      if (readers >= most_readers) {  // S2
        cpu_relax();
        word = word_.load(memory_order_acquire);
        continue;
      }
      if (word_.compare_exchange_weak(word, word + one, memory_order_acquire, memory_order_acquire)) break;
    }
    T* const object = object_of(word);
    if ((word >> count_shift) + 1 >= fold_at) fold(object, word + one);
    return object;
  }

  /// Ends the use of an object that `enter` returned. Returns true if the caller must free it.
  [[nodiscard]] static bool leave(T* object) noexcept { return object->add(-1); }
  /// Does the same for an object that was entered by this word: without a change of the object, unless the word changes
  /// at the same time. The word must still exist.
  [[nodiscard]] bool leave_here(T* object) noexcept {
    std::uint64_t word = word_.load(memory_order_relaxed);
    // (43) release, with (44): all reads of the object happen before it is freed.
    if (object_of(word) == object && word >= one &&
        word_.compare_exchange_strong(word, word - one, memory_order_release, memory_order_relaxed)) {
      return false;
    }
    return leave(object);
  }

  /// Stores a fresh object, or one that other words point to as well, in a word that is null and that no other thread
  /// changes meanwhile.
  void store(T* object, unsigned marks = 0) noexcept {
    if (object != nullptr) hold(object);
    word_.store(pack(object, marks), memory_order_release);  // (32)
  }
  /// Stores null with marks, in a word whose object was taken.
  void clear(unsigned marks = 0) noexcept { word_.store(marks, memory_order_release); }

  /// Replaces whatever the word points to by `object`, which may be null. Returns the previous object, or null, and
  /// sets `is_last` if the caller must free it.
  T* exchange(T* object, unsigned marks, bool& is_last) noexcept {
    if (object != nullptr) hold(object);
    const std::uint64_t old = word_.exchange(pack(object, marks), memory_order_acq_rel);  // (31), (44), (32)
    return drop(old, is_last);
  }
  /// Replaces `expected`, which the caller has entered, by `object`. Returns false if the word points elsewhere by now;
  /// otherwise sets `is_last` never: the caller is a reader.
  bool replace(T* expected, T* object, unsigned marks = 0) noexcept {
    hold(object);
    std::uint64_t word = word_.load(memory_order_relaxed);
    while (object_of(word) == expected) {
      // (44) acquire, with (43); (32)
      if (!word_.compare_exchange_weak(word, pack(object, marks), memory_order_acq_rel, memory_order_relaxed)) continue;
      bool is_last;
      drop(word, is_last);  // not the last: the caller has entered it
      return true;
    }
    unhold(object);
    return false;
  }

  /// Replaces `expected`, which the caller has entered, by null. Returns false if the word points elsewhere by now.
  bool take(T* expected) noexcept {
    std::uint64_t word = word_.load(memory_order_relaxed);
    while (object_of(word) == expected) {
      // Sequentially consistent: callers that wait for an empty word look at it after they joined a queue.
      if (!word_.compare_exchange_weak(word, 0, memory_order_seq_cst, memory_order_relaxed)) continue;
      bool is_last;
      drop(word, is_last);  // not the last: the caller has entered it
      return true;
    }
    return false;
  }

 private:
  static constexpr unsigned count_shift = 48;
  static constexpr std::uint64_t one = std::uint64_t{1} << count_shift;
  static constexpr std::uint64_t mark_mask = (1u << mark_bits) - 1;
  static constexpr std::uint64_t address_mask = (one - 1) & ~mark_mask;

  static T* object_of(std::uint64_t word) noexcept {
    return reinterpret_cast<T*>(static_cast<std::uintptr_t>(word & address_mask));
  }
  static std::uint64_t pack(T* object, unsigned marks) noexcept {
    return reinterpret_cast<std::uintptr_t>(object) | marks;
  }
  static void hold(T* object) noexcept { static_cast<void>(object->add(Snapshot::held)); }
  // Undoes `hold` of an object that was not published and has no reader: it is not freed.
  static void unhold(T* object) noexcept { static_cast<void>(object->add(-Snapshot::held)); }

  // Moves the readers of a word to its object, and takes away the weight of the word.
  static T* drop(std::uint64_t word, bool& is_last) noexcept {
    T* const object = object_of(word);
    const auto readers = static_cast<std::int64_t>(word >> count_shift);
    is_last = object != nullptr && object->add(readers - Snapshot::held);
    return object;
  }

  // Moves the readers of the word to the object, which the caller has entered. They are added first: between the two
  // steps the count is too high, never too low.
  void fold(T* object, std::uint64_t word) noexcept {
    const auto readers = static_cast<std::int64_t>(word >> count_shift);
    static_cast<void>(object->add(readers));
    if (word_.compare_exchange_strong(word, word & (one - 1), memory_order_relaxed, memory_order_relaxed)) return;
    static_cast<void>(object->add(-readers));  // not zero: the caller has entered it
  }

  atomic<std::uint64_t> word_;
};

}  // namespace xichan::internal
