// How much memory the process can have at all: that of the machine, swap space included, and of the control groups
// (cgroups, version 1 or 2) that the process is in. Without a limit of the program's own, the arena refuses memory
// beyond that: in a container, the alternative is that the kernel kills the process.
//
// Thread safety: any thread.
#pragma once

#include <cstdint>

#include "xichan/export.h"

namespace xichan::internal {

struct XICHAN_API MemoryCeiling {
  /// Returns the ceiling, as last read.
  static std::uint64_t bytes() noexcept;
  /// Reads the ceiling again, at most once per second. Returns true if it did.
  static bool refresh() noexcept;

  /// Returns the least memory limit of the control groups that `membership` (/proc/self/cgroup) lists, and of their
  /// ancestors, in the file systems below `mount` (/sys/fs/cgroup); UINT64_MAX if there is none.
  static std::uint64_t of_cgroups(const char* membership, const char* mount) noexcept;
};

}  // namespace xichan::internal
