// The mutex of the wait lists and registries. It is held for a few dozen instructions, and never while a thread
// detaches from its interpreter, releases a value or makes a system call of the core.
#pragma once

#include <mutex>

#ifdef XICHAN_RELACY
#include "base/atomic.h"

namespace xichan::internal {
class Mutex {
 public:
  void lock() { mutex_.lock($); }
  void unlock() { mutex_.unlock($); }

 private:
  rl::mutex mutex_;
};
}  // namespace xichan::internal
#else
namespace xichan::internal {
using Mutex = std::mutex;
}  // namespace xichan::internal
#endif
