// Memory of rings: zeroed, counted, and charged to the byte limit.
//
// A ring takes memory for its slots in one piece, whose pages the system provides as the slots are first used. The byte
// limit includes the rings of the process beyond 4 MiB together: a channel can be created and used under a limit that
// is smaller than its ring, but many channels, or a long queue of small values, cannot exceed the limit.
//
// Progress: as Pages. Thread safety: any thread.
#pragma once

#include <cstdint>

#include "arena/slabs.h"
#include "xichan/status.h"

namespace xichan::internal {

struct XICHAN_API RingMemory {
  static constexpr std::uint64_t free_of_charge = 4u << 20;

  /// Returns zeroed memory, aligned to 16. Null on failure, see `failure`.
  static void* allocate(std::uint64_t bytes) noexcept;
  static void free(void* memory, std::uint64_t bytes) noexcept;

  /// Count memory that the ring maps itself. `charge` returns false on failure, see `failure`.
  static bool charge(std::uint64_t bytes) noexcept;
  static void refund(std::uint64_t bytes) noexcept;

  /// Returns why the calling thread's last allocation or charge failed: `arena_full` or `no_memory`.
  static Status failure() noexcept;

  /// Returns the bytes of all rings, and how many of them are charged to the limit.
  static std::uint64_t bytes() noexcept;
  static std::uint64_t charged_bytes() noexcept;
};

}  // namespace xichan::internal
