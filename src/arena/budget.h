// The byte limit: how many bytes of blocks are alive, and whether there may be more.
//
// The simple way is one counter for all threads, moved by compare-and-swap for each block: two contended cache lines
// per message, one on each side. So threads reserve a batch ahead and pay from it: each has an account with a credit,
// bytes that are reserved but not in use. What it frees goes back to its own credit, and from there in batches.
//
//   A1  reserved = bytes of blocks alive + the credits of all accounts (+ what a call moves between them just now).
//   A2  reserved never grows past the limit. So bytes alive <= limit, always: there is no slack upwards.
//   A3  A credit is changed by read-modify-write only: its owner's line, so it is cheap, and anybody may take all of
//   it.
//
// Without A3 credits of sleeping threads would lie idle while others are refused. Before a request is refused, all
// credits are taken back; then it is decided exactly, unless other threads are moving bytes at that very moment: what
// one of them has in hand (a batch or two) may be missing. A refusal takes time in proportion to the threads, never a
// wait.
//
// Progress: lock-free. Thread safety: any thread; an account's charge and refund belong to its owner. Counts only:
// every access is relaxed, apart from the list of accounts.
#pragma once

#include <cstdint>

#include "base/atomic.h"

namespace xichan::internal {

/// Never destroyed, and in the list of the Budget once it has joined.
struct Account {
  atomic<std::uint64_t> credit{0};
  Account* next = nullptr;
};

class Budget {
 public:
  static constexpr std::uint64_t batch = 16 * 1024;

  /// False if the limit does not allow for so many bytes more. `account` may be null: no credit then.
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

  /// Gives back the credit beyond `keep`.
  static void shed(Account* account, std::uint64_t keep = 0) noexcept;

  static void join(Account* account) noexcept;
  static Account* first_account() noexcept;

  /// A lower limit holds for what is allocated from now on, save calls in progress on other threads.
  static void set_limit(std::uint64_t bytes) noexcept;
  static std::uint64_t limit() noexcept;

  /// Exact while nothing else runs.
  static std::uint64_t bytes_alive() noexcept;

  /// The most bytes alive: looked at whenever more is reserved than ever before, and here. So it is exact to within two
  /// batches per thread.
  static std::uint64_t high_water() noexcept;
  /// To be called when a block of more than a batch has got its memory; smaller ones are noted by `charge`.
  static void note_high_water() noexcept;

 private:
  static bool reserve(std::uint64_t bytes) noexcept;
  static bool reserve_for(Account* account, std::uint64_t bytes) noexcept;
  static void unreserve(std::uint64_t bytes) noexcept;
  static void take_credits_back() noexcept;
};

}  // namespace xichan::internal
