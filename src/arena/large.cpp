#include "arena/large.h"

#include <sys/mman.h>

#include "arena/cache_quota.h"
#include "arena/poison.h"
#include "arena/slots.h"
#include "base/checked.h"

namespace xichan::internal {
namespace {

constexpr std::uint64_t page = 4096;  // the unit of sizes; the system rounds up where its pages are larger
constexpr std::uint64_t maximum = 32u << 20;

// A word: page number of the address (48 bits) | size in pages (15 bits) | the mark of the store (1 bit).
constexpr unsigned address_shift = 16;
constexpr std::uint64_t pages_mask = 0x7fff;
static_assert(maximum / page <= pages_mask);

std::uint64_t word_of(void* memory, std::uint64_t mapped) noexcept {
  return reinterpret_cast<std::uintptr_t>(memory) / page << address_shift | mapped / page << 1;
}
void* memory_of(std::uint64_t word) noexcept {
  return reinterpret_cast<void*>(static_cast<std::uintptr_t>(word >> address_shift) * page);
}
constexpr std::uint64_t size_of(std::uint64_t word) noexcept { return (word >> 1 & pages_mask) * page; }

constinit Slots<32> slots;
constinit CacheQuota kept{maximum};
constinit atomic<unsigned> next_victim{0};  // relaxed: whose turn it is matters little

void unmap(void* memory, std::uint64_t mapped) noexcept {
  unpoison(memory, mapped, mapped);
  munmap(memory, mapped);
}

void give_back(std::uint64_t word) noexcept {
  if (word == 0) return;
  kept.subtract(size_of(word));
  unmap(memory_of(word), size_of(word));
}

// How far a mapping is from what is wanted; UINT64_MAX if it is of no use. What is missing has to be faulted in.
constexpr std::uint64_t distance(std::uint64_t has, std::uint64_t wanted) noexcept {
  if (has < wanted / 2 || has > wanted * 2) return UINT64_MAX;
  return has >= wanted ? has - wanted : (wanted - has) * 4;
}

// The kept mapping that serves best, taken out of the store, or 0.
std::uint64_t nearest(std::uint64_t wanted) noexcept {
  for (int attempt = 0; attempt < 4; ++attempt) {  // others take too
    std::uint64_t best = 0;
    unsigned where = 0;
    for (unsigned i = 0; i < slots.size; ++i) {
      const std::uint64_t word = slots.look(i);
      const std::uint64_t off = distance(size_of(word), wanted);
      if (off == UINT64_MAX || (best != 0 && off >= distance(size_of(best), wanted))) continue;
      best = word, where = i;
      if (off == 0) break;
    }
    if (best == 0) return 0;
    // Whatever lies there now is ours. It may be another one than was chosen; then it goes back.
    const std::uint64_t word = slots.take_from(where);
    if (word == best) {
      kept.subtract(size_of(word));
      return word;
    }
    if (word != 0 && !slots.put(word)) give_back(word);
  }
  return 0;
}

// Gives a kept mapping the size that is wanted, if it must; null if that fails, and the mapping is gone.
void* fit(std::uint64_t word, std::uint64_t wanted, std::uint64_t& mapped) noexcept {
  void* memory = memory_of(word);
  const std::uint64_t has = size_of(word);
  unpoison(memory, has, has);
  mapped = has;
  if (has == wanted || (has > wanted && kept.add(has - wanted))) return memory;
#ifndef __SANITIZE_THREAD__  // which knows mmap and munmap, but takes what mremap moved for the old memory
  mapped = wanted;
  void* resized = mremap(memory, has, wanted, MREMAP_MAYMOVE);
  if (resized != MAP_FAILED) return resized;
#endif
  munmap(memory, has);
  return nullptr;
}

}  // namespace

void* LargeBlocks::take(std::uint64_t bytes, std::uint64_t& mapped) noexcept {
  sweep_if_due();
  const std::uint64_t wanted = align_up(bytes, page);
  void* memory = nullptr;
  if (wanted <= maximum) {
    if (const std::uint64_t word = nearest(wanted)) memory = fit(word, wanted, mapped);
  }
  if (memory == nullptr) {
    mapped = wanted;
    memory = mmap(nullptr, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return nullptr;
  }
  unpoison(memory, bytes, mapped);
  return memory;
}

void LargeBlocks::give(void* memory, std::uint64_t bytes, std::uint64_t mapped) noexcept {
  sweep_if_due();
  kept.subtract(mapped - align_up(bytes, page));
  if (mapped > kept.bound()) return unmap(memory, mapped);
  poison(memory, mapped);
  const std::uint64_t word = word_of(memory, mapped);
  for (unsigned attempt = 0; attempt < 2 * slots.size; ++attempt) {
    if (kept.add(mapped)) {
      if (slots.put(word)) return;
      kept.subtract(mapped);
    }
    give_back(slots.take_from(next_victim.fetch_add(1, memory_order_relaxed) % slots.size));
  }
  unmap(memory, mapped);
}

void LargeBlocks::sweep() noexcept { slots.sweep(give_back); }

void LargeBlocks::release_all() noexcept {
  while (const std::uint64_t word = slots.take()) give_back(word);
}

void LargeBlocks::follow_limit(std::uint64_t limit) noexcept { kept.follow_limit(limit); }

std::uint64_t LargeBlocks::cached_bytes() noexcept { return kept.bytes(); }

std::uint64_t LargeBlocks::cached_blocks() noexcept {
  std::uint64_t count = 0;
  for (unsigned i = 0; i < slots.size; ++i) count += slots.look(i) != 0;
  return count;
}

}  // namespace xichan::internal
