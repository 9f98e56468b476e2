#include "sync/return_gate.h"

#include "sync/current_thread.h"

namespace xichan::internal {

bool ReturnGate::enter() noexcept {
  // (19) acquire: `closed` comes with `closed_by_`. All changes of the word are read-modify-writes, so either this
  // thread is in the count that `close` waits for, or it sees the flag.
  std::uint32_t word = word_.load(memory_order_acquire);
  for (;;) {
    if (word & ended) return false;
    if (word & closed && closed_by_.load(memory_order_relaxed) != current_thread()) {
      // No wake-up is lost: `open` and `end` change the word before they wake.
      futex_wait(word_, word, Deadline::never());
      word = word_.load(memory_order_acquire);
    } else if (word_.compare_exchange_weak(word, word + 1, memory_order_acquire, memory_order_acquire)) {
      return true;
    }
  }
}

void ReturnGate::leave() noexcept {
  if (word_.fetch_sub(1, memory_order_release) == (closed | 1)) futex_wake_all(&word_);
}

void ReturnGate::close(Deadline deadline) noexcept {
  closed_by_.store(current_thread(), memory_order_relaxed);
  std::uint32_t word = word_.fetch_or(closed, memory_order_acq_rel) | closed;  // (19)
  while ((word & count) != 0 && !deadline.passed()) {
    futex_wait(word_, word, deadline);
    word = word_.load(memory_order_acquire);
  }
}

bool ReturnGate::open() noexcept {
  const bool was_closed = word_.fetch_and(~closed, memory_order_release) & closed;
  if (was_closed) futex_wake_all(&word_);
  return was_closed;
}

void ReturnGate::end() noexcept {
  word_.fetch_or(closed | ended, memory_order_release);
  futex_wake_all(&word_);
}

}  // namespace xichan::internal
