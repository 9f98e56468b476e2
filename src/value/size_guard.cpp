#include "value/size_guard.h"

#include <algorithm>

#include "arena/budget.h"
#include "arena/ceiling.h"

namespace xichan::internal {
Status SizeGuard::check_slow(std::uint64_t counted) noexcept {
  const std::uint64_t limit = Budget::limit();
  const std::uint64_t memory = MemoryCeiling::bytes();
  if (counted > limit) return Status::arena_full;
  // Without a limit UINT64_MAX bytes, an overflow, exceed the machine's memory even if its size is unknown.
  if (counted > memory || counted == UINT64_MAX) return Status::no_memory;
  checked_limit_ = std::min({limit, memory, free_});
  return Status::ok;
}

}  // namespace xichan::internal
