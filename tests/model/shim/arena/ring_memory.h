// Stands in for src/arena/ring_memory.h in the models, where rings take the checker's memory.
#pragma once

#include "arena/slabs.h"
#include "xichan/status.h"

namespace xichan::internal {

struct RingMemory {
  static Status failure() noexcept { return Status::no_memory; }
};

}  // namespace xichan::internal
