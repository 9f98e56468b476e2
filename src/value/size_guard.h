// Stops counting a value that cannot fit in memory.
#pragma once

#include <cstdint>

#include "value/cell.h"
#include "xichan/export.h"
#include "xichan/status.h"

namespace xichan::internal {

/// Thread safety: one thread at a time.
class SizeGuard {
 public:
  /// Values of up to `free` bytes count as small. Beyond that, `check` computes the cells of the whole value once.
  explicit SizeGuard(std::uint64_t free) noexcept : free_(free) {}

  /// Call it periodically with the bytes counted so far. Returns `arena_full` once they exceed the arena's limit, and
  /// `no_memory` once they exceed the machine's memory: no block of that size can be allocated. `cells()` returns the
  /// number of cells of the whole value, which is compared likewise, before the caller's own memory grows with it.
  template <class Cells>
  Status check(std::uint64_t counted, Cells cells) noexcept {
    if (counted <= checked_limit_) return Status::ok;
    Status status = check_slow(counted);
    if (status != Status::ok || counted <= free_) return status;
    const std::uint64_t all = cells();
    status = check_slow(all > UINT64_MAX / sizeof(Cell) ? UINT64_MAX : all * sizeof(Cell));
    checked_limit_ = free_ = UINT64_MAX;
    return status;
  }

 private:
  XICHAN_API Status check_slow(std::uint64_t counted) noexcept;

  std::uint64_t checked_limit_ = 1 << 20;  // counts up to this one need no check_slow
  std::uint64_t free_;
};

}  // namespace xichan::internal
