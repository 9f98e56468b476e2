#include "arena/budget.h"

#include <algorithm>

#include "arena/cache_quota.h"
#include "arena/ceiling.h"

namespace xichan::internal {
namespace {

// `limit` and `ceiling` rarely change; the other words change with every batch.
struct Words {
  alignas(cache_line) atomic<std::uint64_t> limit{UINT64_MAX};
  atomic<std::uint64_t> ceiling{0};  // until it is read
  alignas(cache_line) atomic<std::uint64_t> reserved{0};
  atomic<std::uint64_t> most_reserved{0};
  atomic<std::uint64_t> high_water{0};
};

constinit Words words;

void raise(atomic<std::uint64_t>& mark, std::uint64_t value) noexcept {
  std::uint64_t high = mark.load(memory_order_relaxed);
  while (value > high && !mark.compare_exchange_weak(high, value, memory_order_relaxed, memory_order_relaxed)) {
  }
}

#ifndef XICHAN_RELACY
// The ceiling rarely changes; one that was lowered is noticed here, one that was raised when memory would be refused.
void follow_ceiling() noexcept {
  static constinit atomic<unsigned> sweeps{0};
  if (sweeps.fetch_add(1, memory_order_relaxed) % 32 != 31 || !MemoryCeiling::refresh()) return;
  words.ceiling.store(MemoryCeiling::bytes(), memory_order_relaxed);
}
const SweptStore ceiling_store(follow_ceiling);
#endif

}  // namespace

bool Budget::reserve(std::uint64_t bytes) noexcept {
  const std::uint64_t limit =
      std::min(words.limit.load(memory_order_relaxed), words.ceiling.load(memory_order_relaxed));
  std::uint64_t held = words.reserved.load(memory_order_relaxed);
  do {
    if (bytes > limit || held > limit - bytes) return false;  // A2
  } while (!words.reserved.compare_exchange_weak(held, held + bytes, memory_order_relaxed, memory_order_relaxed));
  return true;
}

void Budget::unreserve(std::uint64_t bytes) noexcept { words.reserved.fetch_sub(bytes, memory_order_relaxed); }

bool Budget::reserve_for(Account* account, std::uint64_t bytes) noexcept {
  if (account != nullptr && bytes <= batch && reserve(bytes + batch)) {
    account->credit.fetch_add(batch, memory_order_relaxed);
  } else if (!reserve(bytes) && !reserve_with_effort(bytes)) {
    return false;
  }
  if (bytes <= batch) note_high_water();
  return true;
}

bool Budget::reserve_with_effort(std::uint64_t bytes) noexcept {
  MemoryCeiling::refresh();
  const std::uint64_t ceiling = MemoryCeiling::bytes();
  if (words.ceiling.exchange(ceiling, memory_order_relaxed) != ceiling && reserve(bytes)) return true;
  // A request that cannot succeed leaves the credits of the other threads alone.
  if (bytes > std::min(words.limit.load(memory_order_relaxed), ceiling)) return false;
  reclaim_credits();
  return reserve(bytes);
}

Status Budget::refusal() noexcept {
  const bool is_limit = words.limit.load(memory_order_relaxed) <= words.ceiling.load(memory_order_relaxed);
  return is_limit ? Status::arena_full : Status::no_memory;
}

void Budget::shed(Account* account, std::uint64_t keep) noexcept {
  std::uint64_t credit = account->credit.load(memory_order_relaxed);
  do {
    if (credit <= keep) return;
  } while (!account->credit.compare_exchange_weak(credit, keep, memory_order_relaxed, memory_order_relaxed));
  unreserve(credit - keep);
}

void Budget::reclaim_credits() noexcept {
  Accounts::for_each([](Account& account) noexcept { shed(&account); });
}

void Budget::set_limit(std::uint64_t bytes) noexcept {
  words.limit.store(bytes, memory_order_relaxed);
  reclaim_credits();  // credits may exceed the new limit
}

std::uint64_t Budget::limit() noexcept { return words.limit.load(memory_order_relaxed); }

std::uint64_t Budget::bytes_alive() noexcept {
  std::uint64_t credits = 0;
  Accounts::for_each([&](Account& account) noexcept { credits += account.credit.load(memory_order_relaxed); });
  const std::uint64_t reserved = words.reserved.load(memory_order_relaxed);
  return reserved - std::min(reserved, credits);
}

void Budget::note_high_water() noexcept {
  const std::uint64_t reserved = words.reserved.load(memory_order_relaxed);
  if (reserved <= words.most_reserved.load(memory_order_relaxed)) return;
  raise(words.most_reserved, reserved);
  raise(words.high_water, bytes_alive());
}

std::uint64_t Budget::high_water() noexcept {
  raise(words.high_water, bytes_alive());
  return words.high_water.load(memory_order_relaxed);
}

}  // namespace xichan::internal
