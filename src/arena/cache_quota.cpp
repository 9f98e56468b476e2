#include "arena/cache_quota.h"

#include <time.h>

namespace xichan::internal {
namespace {

constinit atomic<std::int64_t> next_sweep{0};  // milliseconds

}  // namespace

constinit const SweptStore* SweptStore::first_ = nullptr;
constinit AfterCaching after_caching = nullptr;

void sweep_if_due() noexcept {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  const std::int64_t time = std::int64_t{now.tv_sec} * 1'000 + now.tv_nsec / 1'000'000;
  std::int64_t next = next_sweep.load(memory_order_relaxed);
  if (time < next) return;
  if (next_sweep.compare_exchange_strong(next, time + 500, memory_order_relaxed, memory_order_relaxed)) {
    sweep_stores();
  }
}

void sweep_stores() noexcept { SweptStore::sweep_all(); }

}  // namespace xichan::internal
