#include "arena/large.h"

#include "arena/cache_quota.h"
#include "arena/pages.h"
#include "arena/poison.h"
#include "arena/slots.h"
#include "base/checked.h"

namespace xichan::internal {
namespace {

constexpr std::uint64_t page = Pages::page;
constexpr std::uint64_t maximum = 32u << 20;
constexpr std::uint64_t most = 128u << 20;

// A word: page number of the address (48 bits) | size in pages (15 bits) | the mark of the store (1 bit).
constexpr unsigned address_shift = 16;
constexpr std::uint64_t pages_mask = 0x7fff;
constexpr std::uint64_t largest_cached = pages_mask * page;
static_assert(maximum <= largest_cached && largest_cached <= most);

std::uint64_t word_of(void* memory, std::uint64_t mapped) noexcept {
  return reinterpret_cast<std::uintptr_t>(memory) / page << address_shift | mapped / page << 1;
}
void* memory_of(std::uint64_t word) noexcept {
  return reinterpret_cast<void*>(static_cast<std::uintptr_t>(word >> address_shift) * page);
}
constexpr std::uint64_t size_of(std::uint64_t word) noexcept { return (word >> 1 & pages_mask) * page; }

constinit Slots<32> slots;
constinit CacheQuota quota{maximum, most};
constinit atomic<std::uint64_t> evicted{0};  // bytes freed since the last sweep because the store was full; relaxed
constinit atomic<unsigned> next_victim{0};   // relaxed: any order of eviction will do

void release(std::uint64_t word) noexcept {
  if (word == 0) return;
  quota.subtract(size_of(word));
  Pages::free(memory_of(word), size_of(word));
}

void evict(void* memory, std::uint64_t mapped) noexcept {
  evicted.fetch_add(mapped, memory_order_relaxed);
  Pages::free(memory, mapped);
}

// Called when the store has no allocation for a request. It would have one if it had kept those that it evicted.
void note_miss(std::uint64_t wanted) noexcept {
  std::uint64_t bytes = evicted.load(memory_order_relaxed);
  while (bytes >= wanted) {
    if (!evicted.compare_exchange_weak(bytes, bytes - wanted, memory_order_relaxed, memory_order_relaxed)) continue;
    return quota.raise(wanted);
  }
}

void sweep() noexcept {
  std::uint64_t idle = 0;
  slots.sweep([&](std::uint64_t word) noexcept {
    idle += size_of(word);
    release(word);
  });
  evicted.store(0, memory_order_relaxed);
  if (idle != 0) quota.lower(idle);
}
const SweptStore swept_store(sweep);

// Distance of an allocation's size from the wanted one; UINT64_MAX if it is unsuitable. Missing pages weigh more,
// because each costs a page fault.
std::uint64_t distance(std::uint64_t has, std::uint64_t wanted) noexcept {
  if (has < wanted / 2 || has > wanted * 2 || Pages::is_run(has) != Pages::is_run(wanted)) return UINT64_MAX;
  if (has >= wanted) return has - wanted;
  return Pages::is_run(has) && Pages::capacity_of(has) < wanted ? UINT64_MAX : (wanted - has) * 4;
}

// Takes the most suitable allocation out of the store; 0 if there is none.
std::uint64_t nearest(std::uint64_t wanted) noexcept {
  for (int attempt = 0; attempt < 4; ++attempt) {  // other threads take as well
    std::uint64_t best = 0;
    unsigned best_slot = 0;
    for (unsigned i = 0; i < slots.size; ++i) {
      const std::uint64_t word = slots.peek(i);
      const std::uint64_t off = distance(size_of(word), wanted);
      if (off == UINT64_MAX || (best != 0 && off >= distance(size_of(best), wanted))) continue;
      best = word, best_slot = i;
      if (off == 0) break;
    }
    if (best == 0) return 0;
    // This thread now owns the allocation in that slot. If it is not the chosen one, it is put back.
    const std::uint64_t word = slots.take_from(best_slot);
    if (word == best) {
      quota.subtract(size_of(word));
      return word;
    }
    if (word != 0 && !slots.put(word)) release(word);
  }
  return 0;
}

// Resizes a cached allocation if necessary. Returns null if that fails; the allocation is freed then.
void* fit(std::uint64_t word, std::uint64_t wanted, std::uint64_t& mapped) noexcept {
  void* memory = memory_of(word);
  const std::uint64_t has = size_of(word);
  unpoison(memory, has, has);
  mapped = has;
  if (has == wanted || (has > wanted && quota.add(has - wanted))) return memory;
  mapped = wanted;
  void* resized = Pages::resize(memory, has, wanted);
  if (resized == nullptr) Pages::free(memory, has);
  return resized;
}

}  // namespace

void* LargeBlocks::allocate(std::uint64_t bytes, std::uint64_t& mapped) noexcept {
  sweep_if_due();
  const std::uint64_t wanted = align_up(bytes, page);
  void* memory = nullptr;
  if (wanted <= largest_cached) {
    if (const std::uint64_t word = nearest(wanted)) memory = fit(word, wanted, mapped);
  }
  if (memory == nullptr) {
    note_miss(wanted);
    mapped = wanted;
    memory = Pages::allocate(wanted);
    if (memory == nullptr) return nullptr;
  }
  unpoison(memory, bytes, mapped);
  return memory;
}

void LargeBlocks::deallocate(void* memory, std::uint64_t bytes, std::uint64_t mapped) noexcept {
  sweep_if_due();
  quota.subtract(mapped - align_up(bytes, page));
  if (mapped > largest_cached) return Pages::free(memory, mapped);
  if (mapped > quota.bound()) return evict(memory, mapped);
  poison(memory, mapped);
  const std::uint64_t word = word_of(memory, mapped);
  for (unsigned attempt = 0; attempt < 2 * slots.size; ++attempt) {
    if (quota.add(mapped)) {
      if (slots.put(word)) return note_cached();
      quota.subtract(mapped);
    }
    const std::uint64_t victim = slots.take_from(next_victim.fetch_add(1, memory_order_relaxed) % slots.size);
    if (victim == 0) continue;
    quota.subtract(size_of(victim));
    evict(memory_of(victim), size_of(victim));
  }
  evict(memory, mapped);
}

void LargeBlocks::release_all() noexcept {
  while (const std::uint64_t word = slots.take()) release(word);
  evicted.store(0, memory_order_relaxed);
  quota.lower(most);
}

void LargeBlocks::follow_limit(std::uint64_t limit) noexcept { quota.follow_limit(limit); }

std::uint64_t LargeBlocks::cached_bytes() noexcept { return quota.bytes(); }

std::uint64_t LargeBlocks::cached_blocks() noexcept {
  std::uint64_t count = 0;
  for (unsigned i = 0; i < slots.size; ++i) count += slots.peek(i) != 0;
  return count;
}

}  // namespace xichan::internal
