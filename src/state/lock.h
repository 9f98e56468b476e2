// A lock that one thread of one interpreter holds, also several times.
//
// Algorithm: a word that holds the owner, taken by compare-and-swap, and a Turnstile for the calls that find it taken.
// The owner is known, so the lock of an interpreter that has ended is released, and the next call that acquires it
// learns that what the lock protects may be half changed.
//
// Invariants
//   L1  the word is the token of the owner, or `free`, with the bit `died` if a call still is to learn of an owner's
//       death; `depth_` of a recursive lock belongs to its owner, or to the thread that admits the owner.
//   L2  the bit `died` of a free lock is cleared by exactly one call, which returns `owner_died` and does not hold the
//       lock. A call that never returns sets it again, also while another one holds the lock.
//
// Progress: a free lock is taken, and a lock without waiters released, in one step. No waiter is overtaken by a call
// that begins after it (see Turnstile).
#pragma once

#include "state/turnstile.h"

namespace xichan::internal {

/// Identifies an owner of locks: the number of an interpreter's EndpointOwner, and of a thread or task in it.
struct Token {
  std::uint64_t word;

  static Token of(std::uint32_t owner, std::uint32_t unit) noexcept { return {std::uint64_t{owner} << 32 | unit}; }
  std::uint32_t owner() const noexcept { return static_cast<std::uint32_t>(word >> 32); }
  std::uint32_t unit() const noexcept { return static_cast<std::uint32_t>(word); }
};

class XICHAN_API SharedLock final : public Turnstile {
 public:
  enum class Attempt : std::uint8_t { acquired, owner_died, busy };

  /// `recursive`: the owner may acquire it again.
  explicit SharedLock(bool recursive) noexcept
      : Turnstile(recursive ? StateKind::rlock : StateKind::lock, Order::first_in_first_out) {
    word_.store(free, memory_order_relaxed);
  }
  ~SharedLock() override = default;

  /// Never blocks. Joins behind calls that wait: then the lock is busy.
  Attempt try_acquire(Token token) noexcept {
    if (owned_by(token) && kind() == StateKind::rlock) {
      ++XICHAN_PLAIN(depth_);
      return Attempt::acquired;
    }
    return has_waiters() ? Attempt::busy : take(token);
  }
  /// Returns the request by which `wait` acquires the lock. Its answer is an Attempt.
  static Request request_of(Token token) noexcept { return {.wanted = token.word}; }

  /// Releases the lock once. Returns false if it is not held; a recursive lock must be held by `token`.
  bool release_once(Token token) noexcept;
  /// Releases the lock completely and returns how often it was held, 0 if not by `token`; `restore` undoes it once the
  /// lock is acquired again.
  std::uint64_t release_all(Token token) noexcept;
  void restore(std::uint64_t depth) noexcept {
    if (kind() == StateKind::rlock) XICHAN_PLAIN(depth_) = depth;
  }

  bool is_locked() const noexcept { return holder(word_.load(memory_order_relaxed)) != free; }
  bool owned_by(Token token) const noexcept { return holder(word_.load(memory_order_relaxed)) == token.word; }
  /// Returns the token of the thread or task that holds it; its word is 0 if it is free.
  Token token() const noexcept { return {holder(word_.load(memory_order_relaxed))}; }
  /// Returns the number of the owner that holds it, or 0.
  std::uint32_t owner() const noexcept { return Token{holder(word_.load(memory_order_relaxed))}.owner(); }

  void owner_ended(std::uint32_t owner) noexcept override;
  void withdraw(Request& request) noexcept override;

 private:
  static constexpr std::uint64_t free = 0;
  static constexpr std::uint64_t died = std::uint64_t{1} << 63;  // no token has it: owners are numbered from 1

  static std::uint64_t holder(std::uint64_t word) noexcept { return word & ~died; }
  Attempt take(Token token) noexcept;
  bool admit(Request& request) noexcept override;
  void release_word() noexcept;

  atomic<std::uint64_t> word_;
  plain<std::uint64_t> depth_{};  // of a recursive lock; the owner's
};

}  // namespace xichan::internal
