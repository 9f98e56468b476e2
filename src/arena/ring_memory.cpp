#include "arena/ring_memory.h"

#include <algorithm>
#include <cstring>

#include "arena/budget.h"
#include "arena/pages.h"
#include "arena/poison.h"
#include "base/failure.h"

namespace xichan::internal {
namespace {

// From this size on, pages of their own: the system clears them, and only those that are used.
constexpr std::uint64_t own_pages = 4096;

constinit atomic<std::uint64_t> total{0};
thread_local constinit Status last_failure = Status::no_memory;

constexpr std::uint64_t charged_part(std::uint64_t bytes) noexcept {
  return bytes - std::min(bytes, RingMemory::free_of_charge);
}

}  // namespace

bool RingMemory::charge(std::uint64_t bytes) noexcept {
  if (should_inject_failure()) {
    last_failure = Status::no_memory;
    return false;
  }
  std::uint64_t before = total.load(memory_order_relaxed);
  for (;;) {
    const std::uint64_t part = charged_part(before + bytes) - charged_part(before);
    if (part != 0 && !Budget::charge(nullptr, part)) {
      last_failure = Budget::refusal();
      return false;
    }
    if (total.compare_exchange_strong(before, before + bytes, memory_order_relaxed, memory_order_relaxed)) break;
    Budget::refund(nullptr, part);  // the part depends on the other rings
  }
  Budget::note_high_water();
  return true;
}

void RingMemory::refund(std::uint64_t bytes) noexcept {
  const std::uint64_t before = total.fetch_sub(bytes, memory_order_relaxed);
  Budget::refund(nullptr, charged_part(before) - charged_part(before - bytes));
}

void* RingMemory::allocate(std::uint64_t bytes) noexcept {
  if (!charge(bytes)) return nullptr;
  void* memory = bytes < own_pages ? Slabs::allocate_object(bytes) : Pages::allocate(bytes);
  if (memory == nullptr) {
    refund(bytes);
    last_failure = Status::no_memory;
  } else if (bytes < own_pages) {
    std::memset(memory, 0, bytes);
  }
  return memory;
}

void RingMemory::free(void* memory, std::uint64_t bytes) noexcept {
  bytes < own_pages ? Slabs::deallocate(memory) : Pages::free(memory, bytes);
  refund(bytes);
}

Status RingMemory::failure() noexcept { return last_failure; }

std::uint64_t RingMemory::bytes() noexcept { return total.load(memory_order_relaxed); }
std::uint64_t RingMemory::charged_bytes() noexcept { return charged_part(bytes()); }

}  // namespace xichan::internal
