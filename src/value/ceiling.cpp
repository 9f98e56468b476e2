#include "value/ceiling.h"

#include <unistd.h>

#include <algorithm>

#include "xichan/memory.h"

namespace xichan {

Status Ceiling::look(std::uint64_t counted) noexcept {
  const std::uint64_t limit = memory_stats().limit;
  if (counted > limit) return Status::arena_full;
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page = sysconf(_SC_PAGESIZE);
  const std::uint64_t memory = pages <= 0 || page <= 0 ? UINT64_MAX : static_cast<std::uint64_t>(pages) * page;
  if (counted > memory) return Status::no_memory;
  known_ = std::min(limit, memory);
  return Status::ok;
}

}  // namespace xichan
