#include "arena/accounts.h"

namespace xichan::internal {
namespace {

constexpr unsigned account_words = (Accounts::most + 63) / 64;

constinit atomic<std::uint64_t> live_bits[account_words]{};
constinit atomic<Account*> account_table[Accounts::most]{};
constinit atomic<unsigned> account_words_used{1};  // relaxed: a thread that is just starting may be missed

}  // namespace

unsigned Accounts::take() noexcept {
  for (unsigned word = 0; word < account_words; ++word) {
    std::uint64_t bits = live_bits[word].load(memory_order_relaxed);
    while (~bits != 0) {
      const unsigned entry = word * 64 + static_cast<unsigned>(std::countr_one(bits));
      if (entry >= most) return most;
      // (9) acquire, with (10)
      if (!live_bits[word].compare_exchange_weak(bits, bits | (bits + 1), memory_order_acquire, memory_order_relaxed)) {
        continue;
      }
      unsigned used = account_words_used.load(memory_order_relaxed);
      while (used <= word &&
             !account_words_used.compare_exchange_weak(used, word + 1, memory_order_relaxed, memory_order_relaxed)) {
      }
      return entry;
    }
  }
  return most;
}

Account* Accounts::at(unsigned entry) noexcept {
  return account_table[entry].load(memory_order_acquire);  // (8) acquire, with (7)
}

void Accounts::set(unsigned entry, Account* account) noexcept {
  // (7) release, with (8): an account is constructed before another thread finds it.
  account_table[entry].store(account, memory_order_release);
}

void Accounts::leave(unsigned entry) noexcept {
  // (10) release, with (9): all uses by its thread.
  live_bits[entry / 64].fetch_sub(std::uint64_t{1} << entry % 64, memory_order_release);
}

unsigned Accounts::words_used() noexcept { return account_words_used.load(memory_order_relaxed); }

std::uint64_t Accounts::live(unsigned word) noexcept { return live_bits[word].load(memory_order_relaxed); }

}  // namespace xichan::internal
