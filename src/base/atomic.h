// The alias for all atomics of the core, which lets a model checker replace them.
// Memory orders are written unqualified and always explicit: relacy defines the bare names as macros.
#pragma once

#ifdef XICHAN_RELACY
#include <relacy/relacy.hpp>

// Relacy's macros for memory management break `= delete`; the sanitizers find the same errors.
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
using plain = rl::var<T>;  // a location that the checker watches for data races
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

/// Pauses in a spin loop (about 20-40 ns on x86-64).
inline void cpu_relax() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");
#else
#error "xichan supports Linux on x86-64 and aarch64"
#endif
}

/// Alignment that keeps two hot words on different cache lines. Ignores the adjacent-line prefetcher.
inline constexpr unsigned cache_line = 64;

}  // namespace xichan::internal
