#include "value/size_guard.h"

#include <algorithm>

#include "arena/budget.h"
#include "arena/ceiling.h"

namespace xichan::internal {
Status SizeGuard::check_slow(std::uint64_t counted) noexcept {
  const std::uint64_t limit = Budget::limit();
  if (counted > limit) return Status::arena_full;
  const std::uint64_t memory = MemoryCeiling::bytes();
  if (counted > memory) return Status::no_memory;
  checked_limit_ = std::min(limit, memory);
  return Status::ok;
}

}  // namespace xichan::internal
