// Process-wide state that every wait checks: the fork generation and the exit flag.
#pragma once

#include <cstdint>

#include "base/atomic.h"
#include "xichan/export.h"

namespace xichan::internal {

/// A check costs one load. `generation` changes only in the child of a fork, before the child has a second thread;
/// `exiting` is sequentially consistent with the registration of waiters (see Process::begin_exit).
struct ProcessWords {
  atomic<std::uint32_t> generation;
  atomic<std::uint32_t> exiting;
  // While a trace records (trace/trace.h), its number, else 0; and a generation that no endpoint has, else the real
  // one: so the check that an endpoint is open, which every call makes, also leads calls to where they are recorded.
  atomic<std::uint32_t> trace;
  atomic<std::uint32_t> plain_generation;
};
XICHAN_API extern ProcessWords process_words;

inline std::uint32_t process_generation() noexcept { return process_words.generation.load(memory_order_relaxed); }
/// Returns `process_generation`, or another number while a trace records.
inline std::uint32_t plain_generation() noexcept { return process_words.plain_generation.load(memory_order_relaxed); }
/// Returns the number of the trace that records, or 0. relaxed: a call that sees it late is not recorded.
inline std::uint32_t current_trace() noexcept { return process_words.trace.load(memory_order_relaxed); }
inline bool is_traced() noexcept { return current_trace() != 0; }

/// Timeout of a wait without progress while the process is exiting.
inline constexpr std::int64_t exit_patience_ns = 1'000'000'000;
inline bool process_is_exiting() noexcept { return process_words.exiting.load(memory_order_seq_cst) != 0; }

}  // namespace xichan::internal
