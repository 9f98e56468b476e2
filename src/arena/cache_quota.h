// Bounds the memory that the arena's shared stores cache for reuse, and schedules the sweeps that release idle memory.
//
// A store caches at most its own maximum, and at most 1/64 of the byte limit: cached memory comes on top of the memory
// in use, which may be close to the limit. A store whose blocks are few and large raises its bound while its traffic
// needs more, and lowers it again. Memory is idle if no thread took it between two sweeps, and sweeps are at
// least half a second apart. No thread and no timer exists for it. A thread that accesses a shared store anyway
// (once per magazine or large block, never on the fast path), or that has been blocked for a while (sync/nap.h), reads
// the coarse clock, and the first one after the half second has passed sweeps all stores. So a process that sends or
// waits releases idle memory within two seconds, and so does one in which a thread waits while another, which makes no
// further call, has freed it (sync/idle_watch.h). A process that does neither keeps what its stores hold, which the
// maxima bound, until it calls trim().
//
// The stores register themselves, so this file depends on none of them.
//
// Thread safety: any thread. Counts only: every access is relaxed.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/atomic.h"
#include "xichan/export.h"

namespace xichan::internal {

class CacheQuota {
 public:
  constexpr explicit CacheQuota(std::uint64_t maximum) noexcept : CacheQuota(maximum, maximum) {}
  /// The bound starts at `maximum`, and may be raised up to `most`.
  constexpr CacheQuota(std::uint64_t maximum, std::uint64_t most) noexcept
      : maximum_(maximum), most_(most), bound_(maximum) {}

  /// Returns false, and adds nothing, if the store would exceed its bound.
  bool add(std::uint64_t bytes) noexcept {
    if (bytes_.fetch_add(bytes, memory_order_relaxed) + bytes <= bound_.load(memory_order_relaxed)) return true;
    subtract(bytes);
    return false;
  }
  void subtract(std::uint64_t bytes) noexcept { bytes_.fetch_sub(bytes, memory_order_relaxed); }

  std::uint64_t bytes() const noexcept { return bytes_.load(memory_order_relaxed); }
  std::uint64_t bound() const noexcept { return bound_.load(memory_order_relaxed); }
  void follow_limit(std::uint64_t limit) noexcept {
    share_.store(limit / 64, memory_order_relaxed);
    bound_.store(std::min(maximum_, limit / 64), memory_order_relaxed);
  }

  void raise(std::uint64_t bytes) noexcept {
    change(
        [=, most = std::min(most_, share())](std::uint64_t bound) noexcept { return std::min(bound + bytes, most); });
  }
  /// Undoes `raise`, if the bound was raised by that much.
  void lower(std::uint64_t bytes) noexcept {
    change([=, least = std::min(maximum_, share())](std::uint64_t bound) noexcept {
      return bound - std::min(bytes, bound - std::min(bound, least));
    });
  }

 private:
  std::uint64_t share() const noexcept { return share_.load(memory_order_relaxed); }
  template <class Change>
  void change(Change change) noexcept {
    std::uint64_t bound = bound_.load(memory_order_relaxed);
    while (!bound_.compare_exchange_weak(bound, change(bound), memory_order_relaxed, memory_order_relaxed)) {
    }
  }

  const std::uint64_t maximum_;
  const std::uint64_t most_;
  atomic<std::uint64_t> share_{UINT64_MAX};  // of the byte limit
  atomic<std::uint64_t> bytes_{0};
  atomic<std::uint64_t> bound_;
};

/// Registers a store for sweeping. One object of static storage duration per store: the constructors run while the
/// library is loaded, before another thread can use it, so the list needs no synchronization.
class SweptStore {
 public:
  /// `sweep` releases what is idle in the store: what was there at the previous sweep already.
  explicit SweptStore(void (*sweep)() noexcept) noexcept : sweep_(sweep), next_(first_) { first_ = this; }
  SweptStore(const SweptStore&) = delete;
  SweptStore& operator=(const SweptStore&) = delete;

  static void sweep_all() noexcept {
    for (const SweptStore* store = first_; store != nullptr; store = store->next_) store->sweep_();
  }

 private:
  static const SweptStore* first_;

  void (*const sweep_)() noexcept;
  const SweptStore* const next_;
};

/// Called after memory was put into a store; sync/idle_watch.cpp sets it.
using AfterCaching = void (*)() noexcept;
extern AfterCaching after_caching;
inline void note_cached() noexcept {
  if (after_caching != nullptr) after_caching();
}

/// Sweeps all stores if the last sweep is at least half a second ago.
void sweep_if_due() noexcept;
/// Sweeps all stores now.
XICHAN_API void sweep_stores() noexcept;

}  // namespace xichan::internal
