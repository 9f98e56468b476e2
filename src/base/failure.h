// Test hook: makes allocations fail on purpose, see Arena::fail_after.
#pragma once

#include <cstdint>

#include "base/atomic.h"
#include "xichan/export.h"

namespace xichan::internal {

/// How many allocations succeed before all of them fail; negative: they do not fail on purpose.
XICHAN_API extern atomic<std::int64_t> fail_countdown;

inline bool should_inject_failure() noexcept {
  const std::int64_t countdown = fail_countdown.load(memory_order_relaxed);
  if (countdown < 0) return false;
  if (countdown == 0) return true;
  fail_countdown.store(countdown - 1, memory_order_relaxed);
  return false;
}

}  // namespace xichan::internal
