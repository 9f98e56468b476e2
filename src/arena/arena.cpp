#include "arena/arena.h"

#include <algorithm>
#include <new>

#include "arena/budget.h"
#include "arena/cache_quota.h"
#include "arena/large.h"
#include "arena/lent_bytes.h"
#include "arena/pages.h"
#include "arena/ring_memory.h"
#include "arena/slabs.h"
#include "arena/thread_cache.h"
#include "base/checked.h"
#include "base/failure.h"

namespace xichan::internal {
namespace {

// Dead blocks whose references are still to be released. Releasing a reference may kill further blocks; they join the
// queue instead of nesting, so a chain of any length needs one stack frame.
struct DisposalQueue {
  Block* first = nullptr;
  bool running = false;
};

thread_local constinit DisposalQueue disposal_queue;

void count_alive(ThreadCache* cache, unsigned size_class, std::int64_t by) noexcept {
  cache != nullptr ? cache->count_alive(size_class, by) : ThreadCache::count_alive_without_cache(size_class, by);
}

// `class_count` for a large block.
unsigned class_or_large(std::uint64_t bytes) noexcept { return bytes <= largest_class ? class_of(bytes) : class_count; }

void release_block_reference(void* object) noexcept { Arena::release(static_cast<Block*>(object)); }

}  // namespace

constinit const ReferenceType block_reference{ReferenceKind::block, release_block_reference};

Status Arena::allocate(std::uint64_t body_bytes, std::uint64_t reference_count, Block*& block) noexcept {
  block = nullptr;
  CheckedSize size(sizeof(Block));
  size.add(body_bytes).align(Block::alignment).add_product(reference_count, sizeof(Reference));
  const std::uint64_t total = size.value();
  if (size.overflowed() || total > PTRDIFF_MAX || reference_count > UINT32_MAX) return Status::too_large;
  if (should_inject_failure()) return Status::no_memory;

  ThreadCache* cache = ThreadCache::mine();
  if (!Budget::charge(cache, total)) {
    // The limit does not include what is cached for other threads; at the limit it is returned.
    ThreadCache::empty_depot();
    LargeBlocks::release_all();
    return Budget::refusal();
  }
  const unsigned size_class = class_or_large(total);
  void* memory = nullptr;
  std::uint64_t mapped = 0;
  if (size_class == class_count) {
    memory = LargeBlocks::allocate(total, mapped);
  } else {
    if (cache != nullptr) memory = cache->take(size_class, total);
    if (memory == nullptr) memory = ThreadCache::allocate_from_system(size_class, total);
  }
  if (memory == nullptr) {
    Budget::refund(cache, total);
    return Status::no_memory;
  }
  count_alive(cache, size_class, 1);
  if (total > Budget::batch) Budget::note_high_water();
  block =
      new (memory) Block(align_up(body_bytes, Block::alignment), static_cast<std::uint32_t>(reference_count), mapped);
  return Status::ok;
}

void Arena::dispose(Block* block) noexcept {
  if (block->reference_count() == 0) return free_memory(block);
  DisposalQueue& queue = disposal_queue;
  block->next_disposed_ = queue.first;
  queue.first = block;
  if (queue.running) return;
  queue.running = true;
  while (Block* next = queue.first) {
    queue.first = next->next_disposed_;
    const Reference* reference = next->references();
    for (std::uint32_t i = 0; i < next->reference_count(); ++i) reference[i].type->release(reference[i].object);
    free_memory(next);
  }
  queue.running = false;
}

void Arena::free_memory(Block* block) noexcept {
  const std::uint64_t total = block->total_bytes();
  const unsigned size_class = class_or_large(total);
  ThreadCache* cache = ThreadCache::mine();
  count_alive(cache, size_class, -1);
  if (size_class == class_count) {
    LargeBlocks::deallocate(block, total, block->mapped_bytes_);
  } else if (cache == nullptr || !cache->keep(size_class, block)) {
    Slabs::deallocate(block);
  }
  Budget::refund(cache, total);
}

std::uint64_t Arena::release_cached() noexcept {
  const std::uint64_t before = Pages::returned_bytes();
  if (ThreadCache* cache = ThreadCache::mine()) cache->flush();
  ThreadCache::empty_depot();
  LargeBlocks::release_all();
  return Pages::returned_bytes() - before;
}

void Arena::idle() noexcept {
  if (ThreadCache* cache = ThreadCache::current()) cache->flush();
  sweep_if_due();
}

bool Arena::has_cached() noexcept {
  const ThreadCache* cache = ThreadCache::current();
  return (cache != nullptr && cache->has_cached()) || ThreadCache::depot_bytes() != 0 ||
         LargeBlocks::cached_bytes() != 0;
}

void Arena::set_limit(std::uint64_t bytes) noexcept {
  Budget::set_limit(bytes);
  ThreadCache::follow_limit(bytes);
  LargeBlocks::follow_limit(bytes);
  release_cached();
}

void Arena::fail_after(std::int64_t countdown) noexcept { fail_countdown.store(countdown, memory_order_relaxed); }

MemoryStats Arena::stats() noexcept {
  MemoryStats stats{};
  stats.cached = LargeBlocks::cached_bytes();
  for (unsigned size_class = 0; size_class <= class_count; ++size_class) {
    const ClassCounts counts = ThreadCache::counts(size_class);
    stats.blocks += counts.alive;
    if (size_class < class_count) stats.cached += counts.cached * size_classes[size_class].size;
  }
  stats.bytes = Budget::bytes_alive();
  stats.high_water = Budget::high_water();
  stats.limit = Budget::limit();
  stats.rings = RingMemory::bytes();
  stats.lent_bytes = LentBytes::total();
  return stats;
}

std::size_t Arena::class_stats(std::span<MemoryClass> classes) noexcept {
  std::size_t used = 0;
  for (unsigned size_class = 0; size_class <= class_count && used < classes.size(); ++size_class) {
    ClassCounts counts = ThreadCache::counts(size_class);
    if (size_class == class_count) counts.cached = LargeBlocks::cached_blocks();
    if (counts.alive == 0 && counts.cached == 0) continue;
    classes[used++] = {size_class < class_count ? size_classes[size_class].size : UINT64_MAX, counts.alive,
                       counts.cached};
  }
  return used;
}

}  // namespace xichan::internal

namespace xichan {

MemoryStats memory_stats() noexcept { return internal::Arena::stats(); }

std::size_t memory_classes(std::span<MemoryClass> classes) noexcept { return internal::Arena::class_stats(classes); }

void set_memory_limit(std::uint64_t bytes) noexcept { internal::Arena::set_limit(bytes); }

std::uint64_t trim() noexcept { return internal::Arena::release_cached(); }

}  // namespace xichan
