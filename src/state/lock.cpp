#include "state/lock.h"

namespace xichan::internal {

SharedLock::Attempt SharedLock::take(Token token) noexcept {
  std::uint64_t word = word_.load(memory_order_seq_cst);  // by a call that has joined the queue: see Turnstile
  for (;;) {
    if (holder(word) != free) return Attempt::busy;
    const std::uint64_t next = word == free ? token.word : free;
    // (34) acquire, with (35): what the previous owner wrote happens before. A failure looks again, as above.
    if (word_.compare_exchange_weak(word, next, memory_order_seq_cst, memory_order_seq_cst)) break;
  }
  if (word == died) return Attempt::owner_died;
  if (kind() == StateKind::rlock) XICHAN_PLAIN(depth_) = 1;  // any thread may release another lock meanwhile
  return Attempt::acquired;
}

bool SharedLock::admit(Request& request) noexcept {
  const Attempt attempt = take({request.wanted});
  request.answer = static_cast<std::uint64_t>(attempt);
  return attempt != Attempt::busy;
}

void SharedLock::release_word() noexcept {
  word_.fetch_and(died, memory_order_seq_cst);  // (35) release, with (34); see Turnstile
  changed();
}

bool SharedLock::release_once(Token token) noexcept {
  if (kind() == StateKind::rlock) {
    if (!owned_by(token)) return false;
    if (--XICHAN_PLAIN(depth_) == 0) release_word();
    return true;
  }
  // Any thread may release it, also while another one does: only one of them finds it taken.
  std::uint64_t word = word_.load(memory_order_relaxed);
  do {
    if (holder(word) == free) return false;
  } while (!word_.compare_exchange_weak(word, word & died, memory_order_seq_cst, memory_order_relaxed));  // (35)
  changed();
  return true;
}

std::uint64_t SharedLock::release_all(Token token) noexcept {
  if (kind() == StateKind::lock) return release_once(token) ? 1 : 0;
  if (!owned_by(token)) return 0;
  const std::uint64_t depth = XICHAN_PLAIN(depth_);
  release_word();
  return depth;
}

void SharedLock::owner_ended(std::uint32_t owner) noexcept {
  std::uint64_t word = word_.load(memory_order_relaxed);
  while (Token{holder(word)}.owner() == owner) {
    if (!word_.compare_exchange_weak(word, died, memory_order_seq_cst, memory_order_relaxed)) continue;
    changed();
    return;
  }
}

// The owner's end may have passed the lock on already.
void SharedLock::withdraw(Request& request) noexcept {
  if (request.answer == static_cast<std::uint64_t>(Attempt::acquired)) {
    std::uint64_t word = word_.load(memory_order_relaxed);
    while (holder(word) == request.wanted) {  // (35)
      if (!word_.compare_exchange_weak(word, word & died, memory_order_seq_cst, memory_order_relaxed)) continue;
      return changed();
    }
  } else {
    // The call that was to learn of an owner's death never does: the next one will, once the lock is free.
    word_.fetch_or(died, memory_order_seq_cst);
  }
}

}  // namespace xichan::internal
