#include "arena/arena.h"

#include <cstdlib>
#include <new>

#include "base/checked.h"

namespace xichan {
namespace {

// Counters only: nothing is ordered by them, so every access is relaxed.
struct alignas(cache_line) Counters {
  atomic<std::uint64_t> blocks{0};
  atomic<std::uint64_t> bytes{0};
  atomic<std::uint64_t> high_water{0};
  alignas(cache_line) atomic<std::uint64_t> limit{UINT64_MAX};
  atomic<std::int64_t> fail_after{-1};
};

Counters counters;

// Dead blocks whose references are still to be given back. Giving one back may kill further blocks; they join the
// list instead of nesting, so a chain of any length needs one stack frame.
struct Doomed {
  Block* first = nullptr;
  bool running = false;
};

thread_local Doomed doomed;

bool charge(std::uint64_t bytes) noexcept {
  const std::uint64_t limit = counters.limit.load(memory_order_relaxed);
  std::uint64_t held = counters.bytes.load(memory_order_relaxed);
  do {
    if (bytes > limit || held > limit - bytes) return false;
  } while (!counters.bytes.compare_exchange_weak(held, held + bytes, memory_order_relaxed, memory_order_relaxed));
  return true;
}

void count_block() noexcept {
  counters.blocks.fetch_add(1, memory_order_relaxed);
  const std::uint64_t held = counters.bytes.load(memory_order_relaxed);
  std::uint64_t high = counters.high_water.load(memory_order_relaxed);
  while (held > high &&
         !counters.high_water.compare_exchange_weak(high, held, memory_order_relaxed, memory_order_relaxed)) {
  }
}

bool told_to_fail() noexcept {
  const std::int64_t countdown = counters.fail_after.load(memory_order_relaxed);
  if (countdown < 0) return false;
  if (countdown == 0) return true;
  counters.fail_after.store(countdown - 1, memory_order_relaxed);
  return false;
}

void release_block_reference(void* object) noexcept { Arena::release(static_cast<Block*>(object)); }

}  // namespace

constinit const ReferenceType block_reference{ReferenceKind::block, release_block_reference};

Status Arena::allocate(std::uint64_t body_bytes, std::uint64_t reference_count, Block*& block) noexcept {
  block = nullptr;
  CheckedSize total(sizeof(Block));
  total.add(body_bytes).align(Block::alignment).add_product(reference_count, sizeof(Reference));
  if (total.overflowed() || total.value() > PTRDIFF_MAX || reference_count > UINT32_MAX) return Status::too_large;
  if (told_to_fail()) return Status::no_memory;
  if (!charge(total.value())) return Status::arena_full;
  void* memory = std::malloc(total.value());
  if (memory == nullptr) {
    counters.bytes.fetch_sub(total.value(), memory_order_relaxed);
    return Status::no_memory;
  }
  count_block();
  block = new (memory) Block(align_up(body_bytes, Block::alignment), static_cast<std::uint32_t>(reference_count));
  return Status::ok;
}

void Arena::dispose(Block* block) noexcept {
  if (block->reference_count() == 0) return free_memory(block);
  Doomed& list = doomed;
  block->next_doomed_ = list.first;
  list.first = block;
  if (list.running) return;
  list.running = true;
  while (Block* next = list.first) {
    list.first = next->next_doomed_;
    const Reference* reference = next->references();
    for (std::uint32_t i = 0; i < next->reference_count(); ++i) reference[i].type->release(reference[i].object);
    free_memory(next);
  }
  list.running = false;
}

void Arena::free_memory(Block* block) noexcept {
  counters.blocks.fetch_sub(1, memory_order_relaxed);
  counters.bytes.fetch_sub(block->total_bytes(), memory_order_relaxed);
  std::free(block);
}

void Arena::set_limit(std::uint64_t bytes) noexcept { counters.limit.store(bytes, memory_order_relaxed); }

void Arena::fail_after(std::int64_t countdown) noexcept { counters.fail_after.store(countdown, memory_order_relaxed); }

MemoryStats Arena::stats() noexcept {
  return {counters.blocks.load(memory_order_relaxed), counters.bytes.load(memory_order_relaxed),
          counters.high_water.load(memory_order_relaxed), counters.limit.load(memory_order_relaxed)};
}

MemoryStats memory_stats() noexcept { return Arena::stats(); }

void set_memory_limit(std::uint64_t bytes) noexcept { Arena::set_limit(bytes); }

}  // namespace xichan
