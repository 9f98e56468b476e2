#include "arena/lent_bytes.h"

#include <algorithm>

#include "arena/budget.h"
#include "arena/thread_cache.h"
#include "base/failure.h"

namespace xichan::internal {
namespace {

constinit atomic<std::uint64_t> total_bytes{0};     // a statistic
constinit atomic<std::uint64_t> retained_bytes{0};  // relaxed: only counts

}  // namespace

bool LentBytes::charge(std::uint64_t bytes) noexcept {
  if (should_inject_failure() || !Budget::charge(ThreadCache::mine(), bytes)) return false;
  total_bytes.fetch_add(bytes, memory_order_relaxed);
  if (bytes > Budget::batch) Budget::note_high_water();
  return true;
}

void LentBytes::refund(std::uint64_t bytes) noexcept {
  total_bytes.fetch_sub(bytes, memory_order_relaxed);
  Budget::refund(ThreadCache::mine(), bytes);
}

std::uint64_t LentBytes::total() noexcept { return total_bytes.load(memory_order_relaxed); }

std::uint64_t LentBytes::bound() noexcept {
  constexpr std::uint64_t most = 64u << 20;
  return std::min(most, Budget::limit() / 4);
}

bool LentBytes::retain(std::uint64_t own, std::uint64_t bytes) noexcept {
  constexpr std::uint64_t most = 256u << 20;
  if (own + bytes > bound()) return false;
  const std::uint64_t all = retained_bytes.fetch_add(bytes, memory_order_relaxed) + bytes;
  if (all <= std::min(most, Budget::limit() / 4)) return true;
  drop(bytes);
  return false;
}

void LentBytes::drop(std::uint64_t bytes) noexcept { retained_bytes.fetch_sub(bytes, memory_order_relaxed); }

}  // namespace xichan::internal
