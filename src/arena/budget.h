// Enforces the byte limit: counts the bytes of blocks alive, and refuses blocks that would exceed the limit.
//
// The simple way is one counter for all threads, changed by compare-and-swap for each block: two contended cache lines
// per message, one on each side. So threads reserve bytes in batches. Each thread has an account with a credit: bytes
// that are reserved but not in use. Freed bytes return to the credit of the freeing thread, and from there in batches.
//
//   A1  reserved = bytes of blocks alive + the credits of all accounts (+ bytes that a running call is moving).
//   A2  reserved never exceeds the limit. So bytes alive <= limit, always: the bound has no slack.
//       The memory that the process can have at all (ceiling.h) is a limit as well.
//   A3  a credit is changed by read-modify-write only. That is cheap, because the line belongs to its owner, and it
//       allows any thread to reclaim the credit.
//
// Without A3, credits of sleeping threads would be unusable while other threads are refused. Before a request is
// refused, all credits are reclaimed and the request is tried again. Only threads that are alive have a credit. That
// decision is exact unless other threads are moving bytes at that moment, each a batch or two. A refusal takes time
// proportional to the number of threads and never blocks.
//
// Progress: lock-free. Thread safety: any thread; `charge` and `refund` of an account belong to its owner. Counts only:
// every access is relaxed, apart from the table of accounts.
#pragma once

#include <cstdint>

#include "arena/accounts.h"
#include "base/atomic.h"
#include "xichan/status.h"

namespace xichan::internal {

class Budget {
 public:
  static constexpr std::uint64_t batch = 16 * 1024;

  /// Returns false if `bytes` more bytes would exceed the limit. `account` may be null; it has no credit then.
  static bool charge(Account* account, std::uint64_t bytes) noexcept {
    if (account != nullptr) {
      std::uint64_t credit = account->credit.load(memory_order_relaxed);
      while (credit >= bytes) {
        if (account->credit.compare_exchange_weak(credit, credit - bytes, memory_order_relaxed, memory_order_relaxed)) {
          return true;
        }
      }
    }
    return reserve_for(account, bytes);
  }

  static void refund(Account* account, std::uint64_t bytes) noexcept {
    if (account == nullptr || bytes > batch) return unreserve(bytes);
    if (account->credit.fetch_add(bytes, memory_order_relaxed) + bytes > 2 * batch) shed(account, batch);
  }

  /// Returns the credit beyond `keep` to the budget.
  static void shed(Account* account, std::uint64_t keep = 0) noexcept;

  /// A lower limit applies to allocations from now on, except for calls in progress on other threads.
  static void set_limit(std::uint64_t bytes) noexcept;
  static std::uint64_t limit() noexcept;
  /// Returns the status for a refused charge: `arena_full` if the limit applies, `no_memory` if the ceiling does.
  static Status refusal() noexcept;

  /// Exact while no other thread uses the arena.
  static std::uint64_t bytes_alive() noexcept;

  /// Returns the maximum of bytes alive. It is updated here and whenever the reserved bytes reach a new maximum, so it
  /// is exact to within two batches per thread.
  static std::uint64_t high_water() noexcept;
  /// Updates the maximum. Call it once a block of more than a batch has its memory; `charge` does it for smaller ones.
  static void note_high_water() noexcept;

 private:
  static bool reserve(std::uint64_t bytes) noexcept;
  static bool reserve_for(Account* account, std::uint64_t bytes) noexcept;
  static void unreserve(std::uint64_t bytes) noexcept;
  static bool reserve_with_effort(std::uint64_t bytes) noexcept;
  static void reclaim_credits() noexcept;
};

}  // namespace xichan::internal
