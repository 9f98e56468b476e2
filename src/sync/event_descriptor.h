// The descriptor of an event loop, which a waker makes readable.
//
// Thread safety: any thread that owns a reference.
#pragma once

#include "base/atomic.h"
#include "xichan/export.h"

namespace xichan::internal {

/// An eventfd that is closed with its last reference. A waker takes a reference under the lock of a wait list and
/// writes after it has released the lock, so it never writes to a descriptor number that was reused meanwhile.
class XICHAN_API EventDescriptor {
 public:
  /// Returns a descriptor with one reference, or null if memory or descriptors are exhausted.
  static EventDescriptor* create() noexcept;
  void retain() noexcept { references_.fetch_add(1, memory_order_relaxed); }
  void release() noexcept {
    // (9) acq_rel among all threads that release: the last write happens before the descriptor is closed.
    if (references_.fetch_sub(1, memory_order_acq_rel) == 1) destroy();
  }

  int number() const noexcept { return number_; }
  /// Makes the descriptor readable. A system call: not under a lock.
  void signal() noexcept;
  /// Makes the descriptor unreadable.
  void clear() noexcept;

 private:
  explicit EventDescriptor(int number) noexcept : number_(number) { references_.store(1, memory_order_relaxed); }
  ~EventDescriptor() = default;
  void destroy() noexcept;

  const int number_;
  atomic<unsigned> references_;
};

}  // namespace xichan::internal
