#include "arena/pages.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "arena/poison.h"
#include "base/checked.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

namespace xichan::internal {
namespace {

constexpr unsigned most_regions = 64 * 1024;  // 4 TiB
constexpr int writable = PROT_READ | PROT_WRITE;
constexpr int anonymous = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

constinit atomic<Region*> regions[most_regions]{};
constinit atomic<unsigned> regions_used{0};
constinit atomic<std::uint64_t> returned{0};

// A bound on the longest free run of each region (low half), so that a search passes over regions without room, and the
// number of frees (high half), so that a search that fails does not hide a run that was freed meanwhile.
constinit atomic<std::uint32_t> room[most_regions]{};
constexpr std::uint32_t longest_run(std::uint32_t word) noexcept { return word & 0xffff; }

constexpr unsigned granules_of(std::uint64_t bytes) noexcept {
  return static_cast<unsigned>(align_up(bytes, Region::granule_bytes) / Region::granule_bytes);
}

// Maps `bytes` bytes at a multiple of a region's size. The kernel chooses an address, usually with free space below it;
// the multiples around that address are tried.
void* map_aligned(std::uint64_t bytes) noexcept {
  void* probe = mmap(nullptr, bytes, PROT_NONE, anonymous, -1, 0);
  if (probe == MAP_FAILED) return nullptr;
  munmap(probe, bytes);  // if that fails, the addresses stay reserved
  const auto below = reinterpret_cast<std::uintptr_t>(probe) & ~(Region::bytes - 1);
  for (const std::int64_t step : {0, -1, 1, -2, 2, -3, 3}) {
    void* wanted = reinterpret_cast<void*>(below + static_cast<std::uint64_t>(step) * Region::bytes);
    void* memory = mmap(wanted, bytes, writable, anonymous | MAP_FIXED_NOREPLACE, -1, 0);
    if (memory == wanted) return memory;
    if (memory != MAP_FAILED) munmap(memory, bytes);  // an old kernel takes the address as a hint
  }
  return nullptr;
}

// Called after granules were added to a region: any run may be free now.
void note_room(unsigned index) noexcept {
  std::uint32_t word = room[index].load(memory_order_relaxed);
  // (28) release, with (29): a search that sees the new bound sees the granules.
  while (!room[index].compare_exchange_weak(word, ((word >> 16) + 1) << 16 | GranuleSet::size, memory_order_release,
                                            memory_order_relaxed)) {
  }
}

// Adds a region with room for a run of `count` granules: a smaller one where address space is scarce.
bool add_region(unsigned count) noexcept {
  constexpr unsigned header = Region::header_granules;
  for (unsigned granules = GranuleSet::size; granules >= header + count; granules /= 8) {
    void* memory = map_aligned(granules * Region::granule_bytes);
    if (memory == nullptr) continue;
    madvise(memory, granules * Region::granule_bytes, MADV_NOHUGEPAGE);  // fails in a kernel without huge pages
#ifdef __SANITIZE_ADDRESS__
    __lsan_register_root_region(memory, granules * Region::granule_bytes);
#endif
    const unsigned index = regions_used.fetch_add(1, memory_order_relaxed);
    if (index >= most_regions) {
      regions_used.fetch_sub(1, memory_order_relaxed);
      munmap(memory, granules * Region::granule_bytes);
      return false;
    }
    Region* region = static_cast<Region*>(memory);  // zeroed memory is a region without free granules
    region->index = index;
    region->free.add(header, granules - header);
    regions[index].store(region, memory_order_release);  // (24) release, with (25)
    note_room(index);
    return true;
  }
  return false;
}

void* take_run(unsigned count) noexcept {
  do {
    const unsigned used = Pages::region_count();
    for (unsigned i = 0; i < used; ++i) {
      std::uint32_t word = room[i].load(memory_order_acquire);  // (29)
      Region* region = longest_run(word) < count ? nullptr : Pages::region(i);
      if (region == nullptr) continue;
      const int first = region->free.take_run(count);
      if (first >= 0) return region->granule(static_cast<unsigned>(first));
      room[i].compare_exchange_strong(word, (word & ~0xffffu) | (count - 1), memory_order_relaxed,
                                      memory_order_relaxed);
    }
  } while (add_region(count));
  return nullptr;
}

void add_granules(Region& region, unsigned first, unsigned count) noexcept {
  region.free.add(first, count);
  note_room(region.index);
}

void* map_own(std::uint64_t bytes) noexcept {
  void* memory = mmap(nullptr, bytes, writable, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

}  // namespace

void* Pages::allocate(std::uint64_t bytes) noexcept {
  const std::uint64_t size = align_up(bytes, page);
  return is_run(size) ? take_run(granules_of(size)) : map_own(size);
}

void Pages::free(void* memory, std::uint64_t bytes) noexcept {
  const std::uint64_t size = align_up(bytes, page);
  unpoison(memory, size, size);
  if (is_run(size)) {
    discard(memory, size);
    add_granules(Region::of(memory), Region::granule_of(memory), granules_of(size));
  } else if (munmap(memory, size) == 0) {
    returned.fetch_add(size, memory_order_relaxed);
  } else {
    discard(memory, size);
  }
}

void* Pages::resize(void* memory, std::uint64_t from, std::uint64_t to) noexcept {
  if (is_run(from) != is_run(to)) return nullptr;
  if (is_run(from)) {
    const unsigned had = granules_of(from);
    const unsigned needed = granules_of(to);
    if (needed > had) return nullptr;
    if (to < from) discard(static_cast<std::byte*>(memory) + to, from - to);
    if (needed < had) add_granules(Region::of(memory), Region::granule_of(memory) + needed, had - needed);
    return memory;
  }
#ifdef __SANITIZE_THREAD__  // tracks mmap and munmap, but not memory that mremap moves
  return nullptr;
#else
  void* resized = mremap(memory, from, to, MREMAP_MAYMOVE);
  return resized == MAP_FAILED ? nullptr : resized;
#endif
}

void Pages::discard(void* memory, std::uint64_t bytes) noexcept {
  if (madvise(memory, bytes, MADV_DONTNEED) == 0) {
    returned.fetch_add(bytes, memory_order_relaxed);
  } else {
    std::memset(memory, 0, bytes);
  }
}

std::uint64_t Pages::returned_bytes() noexcept { return returned.load(memory_order_relaxed); }

std::uint64_t Pages::capacity_of(std::uint64_t bytes) noexcept {
  return is_run(bytes) ? align_up(bytes, Region::granule_bytes) : bytes;
}

Region* Pages::region(unsigned index) noexcept { return regions[index].load(memory_order_acquire); }  // (25)

unsigned Pages::region_count() noexcept { return std::min(regions_used.load(memory_order_relaxed), most_regions); }

}  // namespace xichan::internal
