// A region: 64 MiB of address space, aligned to its size, in 1024 granules of 64 KiB. The first granules hold this
// header. Runs of granules hold one large allocation each; a granule may be a slab of small blocks (slabs.h).
//
// A region is never unmapped, so its header is valid at any time and a stale look at it is harmless. Its free granules
// take no memory: they are address space only.
//
// Progress: lock-free. A thread that stops, or does not exist after a fork, keeps the granules that it was claiming.
#pragma once

#include <cstddef>
#include <cstdint>

#include "arena/granule_set.h"
#include "arena/slab.h"

namespace xichan::internal {

struct alignas(cache_line) PaddedSlab : Slab {};

struct Region {
  static constexpr std::uint64_t granule_bytes = 64 * 1024;
  static constexpr std::uint64_t bytes = GranuleSet::size * granule_bytes;
  static constexpr unsigned header_granules = 5;

  GranuleSet free;
  GranuleSet partial;  // slabs that may have a free block; a hint
  std::uint32_t index;
  PaddedSlab slabs[GranuleSet::size - header_granules];

  static Region& of(const void* memory) noexcept {
    return *reinterpret_cast<Region*>(reinterpret_cast<std::uintptr_t>(memory) & ~(bytes - 1));
  }
  static unsigned granule_of(const void* memory) noexcept {
    return static_cast<unsigned>((reinterpret_cast<std::uintptr_t>(memory) & (bytes - 1)) / granule_bytes);
  }
  std::byte* granule(unsigned number) noexcept { return reinterpret_cast<std::byte*>(this) + number * granule_bytes; }
  Slab& slab(unsigned granule) noexcept { return slabs[granule - header_granules]; }
};
static_assert(sizeof(Region) <= Region::header_granules * Region::granule_bytes);

}  // namespace xichan::internal
