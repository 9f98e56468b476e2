// The system calls that a waker owes to the waiters it has decided. It collects them under the lock of a list, and
// performs them after it has released the lock.
#pragma once

#include "base/atomic.h"
#include "sync/event_descriptor.h"
#include "sync/futex.h"

namespace xichan::internal {

/// What wakes one decided waiter: a futex word, a descriptor or, if both are null, nothing.
struct Wake {
  atomic<std::uint32_t>* word = nullptr;  // used as an address only; never dereferenced (see futex_wake)
  EventDescriptor* event = nullptr;       // owns a reference

  /// Performs the system call. Not under a lock.
  void perform() noexcept {
    if (word != nullptr) futex_wake(word);
    if (event != nullptr) {
      event->signal();
      event->release();
    }
  }
};

/// A few wakes. A list with more waiters is served in several rounds, so the lock is held for a bounded time.
class WakeBatch {
 public:
  bool is_full() const noexcept { return size_ == capacity; }
  /// Returns the place for one more. Requires that the batch is not full.
  Wake& add() noexcept { return wakes_[size_++]; }
  /// Performs and removes all. Not under a lock.
  void perform() noexcept {
    for (unsigned i = 0; i < size_; ++i) {
      wakes_[i].perform();
      wakes_[i] = {};
    }
    size_ = 0;
  }

 private:
#ifdef XICHAN_RELACY
  static constexpr unsigned capacity = 2;  // the models have few waiters
#else
  static constexpr unsigned capacity = 16;
#endif

  Wake wakes_[capacity];
  unsigned size_ = 0;
};

}  // namespace xichan::internal
