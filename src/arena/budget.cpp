#include "arena/budget.h"

#include <algorithm>

namespace xichan::internal {
namespace {

// `limit` and `accounts` rarely change; the other words change with every batch.
struct Words {
  alignas(cache_line) atomic<std::uint64_t> limit{UINT64_MAX};
  atomic<Account*> accounts{nullptr};
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

}  // namespace

bool Budget::reserve(std::uint64_t bytes) noexcept {
  const std::uint64_t limit = words.limit.load(memory_order_relaxed);
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
  } else if (!reserve(bytes)) {
    if (bytes > words.limit.load(memory_order_relaxed)) return false;  // cannot succeed: leave the other credits alone
    reclaim_credits();
    if (!reserve(bytes)) return false;
  }
  if (bytes <= batch) note_high_water();
  return true;
}

void Budget::shed(Account* account, std::uint64_t keep) noexcept {
  std::uint64_t credit = account->credit.load(memory_order_relaxed);
  do {
    if (credit <= keep) return;
  } while (!account->credit.compare_exchange_weak(credit, keep, memory_order_relaxed, memory_order_relaxed));
  unreserve(credit - keep);
}

void Budget::reclaim_credits() noexcept {
  for (Account* account = first_account(); account != nullptr; account = account->next) shed(account);
}

void Budget::join(Account* account) noexcept {
  Account* first = words.accounts.load(memory_order_relaxed);
  do {
    account->next = first;
    // (7) release, with (8): an account is constructed before another thread finds it.
  } while (!words.accounts.compare_exchange_weak(first, account, memory_order_release, memory_order_relaxed));
}

Account* Budget::first_account() noexcept {
  return words.accounts.load(memory_order_acquire);  // (8) acquire, with (7)
}

void Budget::set_limit(std::uint64_t bytes) noexcept {
  words.limit.store(bytes, memory_order_relaxed);
  reclaim_credits();  // credits may exceed the new limit
}

std::uint64_t Budget::limit() noexcept { return words.limit.load(memory_order_relaxed); }

std::uint64_t Budget::bytes_alive() noexcept {
  std::uint64_t credits = 0;
  for (Account* account = first_account(); account != nullptr; account = account->next) {
    credits += account->credit.load(memory_order_relaxed);
  }
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
