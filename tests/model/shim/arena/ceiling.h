// Stands in for src/arena/ceiling.h in the models, which have no ceiling.
#pragma once

#include <cstdint>

namespace xichan::internal {

struct MemoryCeiling {
  static std::uint64_t bytes() noexcept { return UINT64_MAX; }
  static bool refresh() noexcept { return false; }
};

}  // namespace xichan::internal
