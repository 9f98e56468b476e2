// The lock of the wait lists and registries: held for a few dozen instructions, never across a detach, a release of a
// value, or a system call of the core.
#pragma once

#ifdef XICHAN_RELACY
#include "base/atomic.h"

namespace xichan {
class Mutex {
 public:
  void lock() { mutex_.lock($); }
  void unlock() { mutex_.unlock($); }

 private:
  rl::mutex mutex_;
};
}  // namespace xichan
#else
#include <mutex>

namespace xichan {
using Mutex = std::mutex;
}  // namespace xichan
#endif

namespace xichan {

class LockGuard {
 public:
  explicit LockGuard(Mutex& mutex) : mutex_(mutex) { mutex_.lock(); }
  LockGuard(const LockGuard&) = delete;
  LockGuard& operator=(const LockGuard&) = delete;
  ~LockGuard() { mutex_.unlock(); }

 private:
  Mutex& mutex_;
};

}  // namespace xichan
