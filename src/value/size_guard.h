// Stops counting a value that cannot fit in memory. A value of a few objects may be a tree of 2^60 leaves, because
// tuples are shared in memory but written out in a block.
#pragma once

#include <cstdint>

#include "xichan/export.h"
#include "xichan/status.h"

namespace xichan::internal {

/// Thread safety: one thread at a time.
class SizeGuard {
 public:
  /// Call it periodically with the bytes counted so far. Returns `arena_full` once they exceed the arena's limit, and
  /// `no_memory` once they exceed the machine's memory: no block of that size can be allocated.
  Status check(std::uint64_t counted) noexcept { return counted <= checked_limit_ ? Status::ok : check_slow(counted); }

 private:
  XICHAN_API Status check_slow(std::uint64_t counted) noexcept;

  std::uint64_t checked_limit_ = 1 << 20;  // counts up to this one need no check_slow
};

}  // namespace xichan::internal
