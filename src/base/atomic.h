// The one alias through which the core names atomics, so that a model checker can stand in for them.
// Memory orders are written unqualified and always in full: relacy turns the bare names into macros of its own.
#pragma once

#ifdef XICHAN_RELACY
#include <relacy/relacy.hpp>

// Its macros for memory management break `= delete`, and what they find a sanitizer finds as well.
#undef new
#undef delete
#undef malloc
#undef calloc
#undef realloc
#undef free

namespace xichan::internal {
using rl::mo_acq_rel;
using rl::mo_acquire;
using rl::mo_relaxed;
using rl::mo_release;
using rl::mo_seq_cst;

template <class T>
using atomic = rl::atomic<T>;
template <class T>
using plain = rl::var<T>;  // a location the checker watches for data races
}  // namespace xichan::internal

#define XICHAN_PLAIN(location) (location)($)
#else
#include <atomic>

namespace xichan::internal {
template <class T>
using atomic = std::atomic<T>;
template <class T>
using plain = T;

using std::memory_order_acq_rel;
using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;
using std::memory_order_seq_cst;
}  // namespace xichan::internal

#define XICHAN_PLAIN(location) (location)
#endif

namespace xichan::internal {

/// Tells the processor that this is a spin loop (about 20-40 ns on x86-64).
inline void cpu_relax() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");
#else
#error "xichan supports Linux on x86-64 and aarch64"
#endif
}

/// Distance that keeps two hot words from sharing a line (64 bytes), without counting on the adjacent-line prefetcher.
inline constexpr unsigned cache_line = 64;

}  // namespace xichan::internal
