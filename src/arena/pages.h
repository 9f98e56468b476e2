// Zeroed memory by the page: for large blocks, rings, and slabs of small blocks.
//
// A mapping for each of them would be simple, but a process may have only some 65,000 mappings (vm.max_map_count), and
// beyond that it can neither map memory nor start threads, and munmap fails as well. So allocations of up to 16 MiB are
// runs of granules of 64 KiB in regions of 64 MiB (region.h), and only larger ones are mappings of their own: a process
// has a few dozen mappings per GiB. The pages of a free run are returned to the system at once (MADV_DONTNEED, which
// splits no mapping), so fragmentation between runs costs reserved address space only. Allocations take the first run
// that fits, lowest address first: the simple policy with the least fragmentation (M. S. Johnstone, P. R. Wilson, "The
// memory fragmentation problem: solved?", ISMM 1998).
//
// Huge pages are disabled in regions, because with them one slot of a ring would take 2 MiB.
//
// Every system call may fail. If no region can be mapped, the allocation fails. If pages cannot be returned (mlockall),
// they are cleared instead. A mapping that cannot be unmapped (because it was merged with its neighbors, and the
// process has too many mappings) returns its pages and leaves its addresses unused.
//
// Progress: lock-free apart from the system calls. Thread safety: any thread. Fork: no lock is held; each process has
// its own copy. What another thread was claiming or freeing at that moment is lost to the child.
#pragma once

#include <cstdint>

#include "arena/region.h"
#include "xichan/export.h"

namespace xichan::internal {

struct XICHAN_API Pages {
  static constexpr std::uint64_t page = 4096;  // unit of sizes; a system with larger pages rounds up
  static constexpr std::uint64_t largest_run = 16u << 20;

  /// Returns zeroed memory, aligned to a page; null without memory. `bytes` > 0.
  static void* allocate(std::uint64_t bytes) noexcept;
  /// Frees memory of that size.
  static void free(void* memory, std::uint64_t bytes) noexcept;
  /// Changes the size of an allocation, perhaps its address. Returns null, with nothing changed, if that is not
  /// possible without copying.
  static void* resize(void* memory, std::uint64_t from, std::uint64_t to) noexcept;
  /// Returns the pages of a range to the system and leaves it zeroed. `memory` is aligned to a page.
  static void discard(void* memory, std::uint64_t bytes) noexcept;

  /// Returns the bytes of pages that the process has returned to the system so far.
  static std::uint64_t returned_bytes() noexcept;

  static constexpr bool is_run(std::uint64_t bytes) noexcept { return bytes <= largest_run; }
  /// Returns the size up to which an allocation of `bytes` bytes grows in place.
  static std::uint64_t capacity_of(std::uint64_t bytes) noexcept;

  /// Returns the region with a number, or null.
  static Region* region(unsigned index) noexcept;
  static unsigned region_count() noexcept;
};

}  // namespace xichan::internal
