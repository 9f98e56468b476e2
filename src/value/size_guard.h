// When to give up counting: a value of a few objects may be a tree of 2^60 leaves, because tuples are shared in memory
// and written out in a block.
#pragma once

#include <cstdint>

#include "xichan/export.h"
#include "xichan/status.h"

namespace xichan::internal {

/// Thread safety: one thread at a time.
class SizeGuard {
 public:
  /// To be called now and then with the bytes counted so far: `arena_full` once they pass the limit of the arena,
  /// `no_memory` once they pass the memory of the machine. No block of that size can be had.
  Status check(std::uint64_t counted) noexcept { return counted <= known_ ? Status::ok : look(counted); }

 private:
  XICHAN_API Status look(std::uint64_t counted) noexcept;

  std::uint64_t known_ = 1 << 20;  // up to here there is nothing to look up
};

}  // namespace xichan::internal
