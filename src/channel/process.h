// What holds for the whole process: which process this is, and whether it is about to end.
#pragma once

#include <cstdint>

#include "base/atomic.h"
#include "xichan/export.h"

namespace xichan {

// Plain words, so that a look costs one load. `generation` changes only in the child of a fork, before it has a second
// thread; `exiting` is sequentially consistent with the registration of waiters (see Process::begin_exit).
struct ProcessWords {
  atomic<std::uint32_t> generation;
  atomic<std::uint32_t> exiting;
};
XICHAN_API extern ProcessWords process_words;

inline std::uint32_t process_generation() noexcept { return process_words.generation.load(memory_order_relaxed); }

/// From `begin_exit` on a wait without progress gives up after this long.
inline constexpr std::int64_t exit_patience_ns = 1'000'000'000;
inline bool process_is_exiting() noexcept { return process_words.exiting.load(memory_order_seq_cst) != 0; }

struct XICHAN_API Process {
  /// Called when the threading module of the main interpreter shuts down: every wait, present and future, is bounded by
  /// `exit_patience_ns` without progress. Closes nothing, because healthy threads still deliver messages. Any thread.
  static void begin_exit() noexcept;

  /// Random number of this process; a ticket pickled here means nothing elsewhere, nor in the child of a fork.
  static std::uint64_t nonce() noexcept;
};

}  // namespace xichan
