// What a thread does before it sleeps, now and then: it brings what the page shows up to date, because it has nothing
// else to do (directory/page_publisher.h).
#pragma once

#include <cstdint>

#include "base/atomic.h"
#include "xichan/export.h"

namespace xichan::internal {

/// The hook of the process. The caller holds no lock and is detached from its interpreter.
struct SleepHook {
  atomic<std::int64_t> due;  // the time of Deadline::now() before which the hook is not called
  void (*call)() noexcept;   // null until the process has one; set before `due` is

  void operator()(std::int64_t now) noexcept {
    if (now >= due.load(memory_order_relaxed)) [[unlikely]]
      call();
  }
};

XICHAN_API extern SleepHook sleep_hook;

}  // namespace xichan::internal
