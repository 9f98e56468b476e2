#include "arena/slabs.h"

#include <algorithm>

#include "arena/pages.h"
#include "arena/poison.h"

namespace xichan::internal {
namespace {

constinit atomic<Slab*> in_use[class_count]{};  // the slab that a class takes blocks from; may be stale

constexpr std::uint32_t blocks_in_slab(unsigned size_class) noexcept {
  return std::min<std::uint32_t>(Region::granule_bytes / size_classes[size_class].size, Slab::most_blocks);
}

struct SlabRef {
  explicit SlabRef(Slab& found) noexcept
      : region(Region::of(&found)),
        slab(found),
        granule(static_cast<unsigned>(static_cast<PaddedSlab*>(&found) - region.slabs) + Region::header_granules) {}
  SlabRef(Region& in, unsigned number) noexcept : region(in), slab(in.slab(number)), granule(number) {}

  std::byte* block(unsigned index, unsigned size_class) const noexcept {
    return region.granule(granule) + std::uint64_t{index} * size_classes[size_class].size;
  }
  // For a slab that was retired: its owner returns the memory.
  void release() const noexcept {
    region.partial.remove(granule);
    Pages::free(region.granule(granule), Region::granule_bytes);
  }

  Region& region;
  Slab& slab;
  unsigned granule;
};

// Returns the next slab of a class in a region, from a granule on, that has a free block, or null.
Slab* find_partial(Region& region, unsigned from, unsigned size_class) noexcept {
  for (unsigned g = region.partial.next(from); g < GranuleSet::size; g = region.partial.next(g + 1)) {
    Slab& slab = region.slab(g);
    if (slab.has_available()) {
      if (slab.size_class() == size_class) return &slab;
      continue;
    }
    region.partial.remove_unless(g, [&]() noexcept { return slab.has_available(); });
  }
  return nullptr;
}

// Returns the next slab of a class after `last`, which may be null, that has a free block, or null.
Slab* find_partial(Slab* last, unsigned size_class) noexcept {
  const unsigned used = Pages::region_count();
  if (used == 0) return nullptr;
  const unsigned start = last == nullptr ? 0 : Region::of(last).index;
  for (unsigned i = 0; i <= used; ++i) {  // the first region twice: from `last` on, then all of it
    Region* region = Pages::region((start + i) % used);
    if (region == nullptr) continue;
    const unsigned from = last == nullptr || i != 0 ? 0 : SlabRef(*last).granule;
    if (Slab* found = find_partial(*region, from, size_class)) return found;
  }
  return nullptr;
}

Slab* make_slab(unsigned size_class) noexcept {
  void* memory = Pages::allocate(Region::granule_bytes);
  if (memory == nullptr) return nullptr;
  poison(memory, Region::granule_bytes);
  const SlabRef fresh(Region::of(memory), Region::granule_of(memory));
  fresh.slab.prepare(size_class, blocks_in_slab(size_class));
  fresh.region.partial.add(fresh.granule, 1);
  return &fresh.slab;
}

}  // namespace

void* Slabs::allocate(unsigned size_class) noexcept {
  Slab* slab = in_use[size_class].load(memory_order_acquire);  // (26) acquire, with (27)
  for (;;) {
    if (slab != nullptr) {
      const SlabRef found(*slab);
      unsigned index;
      switch (slab->take(size_class, index)) {
        case Slab::Taken::block: return found.block(index, size_class);
        case Slab::Taken::retired: found.release(); break;
        case Slab::Taken::returned: found.region.partial.offer(found.granule); break;
        case Slab::Taken::none: break;
      }
    }
    slab = find_partial(slab, size_class);
    if (slab == nullptr) slab = make_slab(size_class);
    if (slab == nullptr) return nullptr;
    in_use[size_class].store(slab, memory_order_release);  // (27)
  }
}

void* Slabs::allocate_object(std::uint64_t bytes) noexcept {
  const unsigned size_class = class_of(bytes);
  void* memory = allocate(size_class);
  if (memory != nullptr) unpoison(memory, bytes, size_classes[size_class].size);
  return memory;
}

void Slabs::deallocate(void* memory) noexcept {
  const SlabRef slab(Region::of(memory), Region::granule_of(memory));
  const std::uint32_t size = size_classes[slab.slab.size_class()].size;
  poison(memory, size);
  const auto offset = static_cast<std::byte*>(memory) - slab.region.granule(slab.granule);
  if (slab.slab.put(static_cast<unsigned>(static_cast<std::uint64_t>(offset) / size))) return slab.release();
  slab.region.partial.offer(slab.granule);
}

}  // namespace xichan::internal
