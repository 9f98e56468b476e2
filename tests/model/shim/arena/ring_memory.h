// Stands in for src/arena/ring_memory.h in the models, where rings take the checker's memory.
#pragma once

#include <cstdint>

#include "arena/slabs.h"
#include "xichan/status.h"

namespace xichan::internal {

struct RingMemory {
  inline static std::uint64_t segments_left = UINT64_MAX;  // of segmented rings

  static bool charge(std::uint64_t segments) noexcept {
    if (segments_left < segments) return false;
    segments_left -= segments;
    return true;
  }
  static Status failure() noexcept { return Status::no_memory; }

  // Slots of maps and broadcast channels. Defined by their models, because atomics of the checker are constructed.
  static void* allocate(std::uint64_t bytes) noexcept;
  static void free(void* memory, std::uint64_t bytes) noexcept;
};

}  // namespace xichan::internal
