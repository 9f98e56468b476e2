#include "value/size_guard.h"

#include <unistd.h>

#include <algorithm>

#include "arena/budget.h"

namespace xichan::internal {
namespace {

std::uint64_t machine_memory() noexcept {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page = sysconf(_SC_PAGESIZE);
  return pages <= 0 || page <= 0 ? UINT64_MAX : static_cast<std::uint64_t>(pages) * page;
}

}  // namespace

Status SizeGuard::check_slow(std::uint64_t counted) noexcept {
  const std::uint64_t limit = Budget::limit();
  static const std::uint64_t memory = machine_memory();
  if (counted > limit) return Status::arena_full;
  // Without a limit UINT64_MAX bytes, an overflow, exceed the machine's memory even if its size is unknown.
  if (counted > memory || counted == UINT64_MAX) return Status::no_memory;
  checked_limit_ = std::min({limit, memory, free_});
  return Status::ok;
}

}  // namespace xichan::internal
