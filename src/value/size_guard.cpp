#include "value/size_guard.h"

#include <unistd.h>

#include <algorithm>

#include "arena/budget.h"

namespace xichan::internal {
namespace {

std::uint64_t memory_of_the_machine() noexcept {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page = sysconf(_SC_PAGESIZE);
  return pages <= 0 || page <= 0 ? UINT64_MAX : static_cast<std::uint64_t>(pages) * page;
}

}  // namespace

Status SizeGuard::look(std::uint64_t counted) noexcept {
  const std::uint64_t limit = Budget::limit();
  if (counted > limit) return Status::arena_full;
  static const std::uint64_t memory = memory_of_the_machine();
  if (counted > memory) return Status::no_memory;
  known_ = std::min(limit, memory);
  return Status::ok;
}

}  // namespace xichan::internal
