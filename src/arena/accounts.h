// The accounts of threads that are alive: a table with a bit for each entry in use. Entries are reused, lowest first,
// so a walk costs as much as there are threads, and one more load for each 64 that were alive at once.
//
// An account stays in its entry when its thread ends, for the next thread that takes the entry.
//
// Progress: lock-free. Thread safety: any thread.
#pragma once

#include <bit>
#include <cstdint>

#include "base/atomic.h"

namespace xichan::internal {

/// A thread's credit, see budget.h.
struct Account {
  atomic<std::uint64_t> credit{0};
};

class Accounts {
 public:
#ifdef XICHAN_RELACY
  static constexpr unsigned most = 4;
#else
  static constexpr unsigned most = 64 * 1024;  // further threads have no account
#endif

  /// Takes a free entry; returns `most` if there is none.
  static unsigned take() noexcept;
  /// Returns the account in an entry that the caller has taken, or null.
  static Account* at(unsigned entry) noexcept;
  static void set(unsigned entry, Account* account) noexcept;
  static void leave(unsigned entry) noexcept;

  /// Calls `visit` with each account whose thread is alive.
  template <class Visit>
  static void for_each(Visit visit) noexcept {
    for (unsigned word = 0; word * 64 < most; ++word) {
      if (word != 0 && word >= words_used()) return;
      for (std::uint64_t bits = live(word); bits != 0; bits &= bits - 1) {
        Account* account = at(word * 64 + static_cast<unsigned>(std::countr_zero(bits)));
        if (account != nullptr) visit(*account);  // null if its thread is just starting
      }
    }
  }

 private:
  static unsigned words_used() noexcept;
  static std::uint64_t live(unsigned word) noexcept;
};

}  // namespace xichan::internal
