// Wakes a blocked thread when memory was cached that no other thread may return to the system.
//
// Cached memory is returned in sweeps (arena/cache_quota.h), which need a thread. Blocked threads sleep without a
// timeout, and a thread that has freed memory may never call xichan again. So one of the blocked threads has the
// *watch* from the moment that memory is put into a store until it was swept: it naps, and sweeps after each nap. The
// thread that puts memory into a store appoints a blocked thread if none has the watch. Three naps after the last such
// event all that was idle is gone, and the thread sleeps without a timeout again. So a process that neither sends nor
// frees wakes no thread.
//
// A thread is registered here only once it has slept for a nap; so short waits do not pay for this.
//
// Invariants
//   I1  while `watched_` is true, a thread has the watch, or it was nudged and takes the watch when it runs.
//   I2  if memory was cached since the last sweep that found no news, and a thread sleeps here, then `watched_` is true
//       or some thread is about to appoint. No event is missed, by the argument of wait_list.h: it is counted before
//       the sleepers and `watched_` are read; a sleeper is counted before it reads the events and `watched_`; and a
//       thread that gives up the watch clears `watched_` before it reads the events and the sleepers.
//
// Progress: an event costs a read-modify-write and a load while no thread sleeps here; otherwise that of WaitList.
// Fork: the child forgets the sleepers, which do not exist there.
#pragma once

#include <cstdint>

#include "base/atomic.h"
#include "sync/wait_list.h"

namespace xichan::internal {

/// The threads that may have the watch, and what there is to watch. Thread safety: any thread.
class IdleWatchers {
 public:
  IdleWatchers() noexcept {
    events_.store(0, memory_order_relaxed);
    swept_.store(0, memory_order_relaxed);
    watched_.store(false, memory_order_relaxed);
  }

  /// Called after memory was put into a store.
  void note_cached() noexcept {
    events_.fetch_add(1, memory_order_seq_cst);
    appoint();
  }

  void lock_for_fork() noexcept { lock_.lock(); }
  void unlock_after_fork(bool in_child) noexcept {
    if (in_child) {
      sleepers_.forget_all();
      watched_.store(false, memory_order_relaxed);
    }
    lock_.unlock();
  }

 private:
  friend class IdleWatch;

  // Gives the watch to a sleeper unless a thread has it.
  void appoint() noexcept {
    while (sleepers_.has_attention() && take()) {
      if (sleepers_.nudge_one()) return;
      release();  // they were about to wake up; one may have come since
    }
  }
  bool take() noexcept {
    if (watched_.load(memory_order_seq_cst)) return false;
    return !watched_.exchange(true, memory_order_seq_cst);
  }
  void release() noexcept { watched_.store(false, memory_order_seq_cst); }

  std::uint64_t events() const noexcept { return events_.load(memory_order_seq_cst); }
  bool has_news() const noexcept { return events() != swept_.load(memory_order_relaxed); }  // at worst a sweep more

  atomic<std::uint64_t> events_;
  atomic<std::uint64_t> swept_;  // the events after which a thread with the watch has swept
  atomic<bool> watched_;
  Mutex lock_;
  WaitList sleepers_{lock_};
};

/// The watchers of the process.
IdleWatchers& idle_watchers() noexcept;

/// The part of one blocked call. Thread safety: one thread at a time.
class IdleWatch {
 public:
  explicit IdleWatch(IdleWatchers& all = idle_watchers()) noexcept : all_(all) {}
  IdleWatch(const IdleWatch&) = delete;
  IdleWatch& operator=(const IdleWatch&) = delete;
  ~IdleWatch() {
    if (!is_held_) return;
    all_.release();
    if (all_.has_news()) all_.appoint();
  }

  bool is_held() const noexcept { return is_held_; }

  /// Called before the thread sleeps. Returns true if it has the watch: then it naps. If not, it may be nudged to take
  /// the watch; after the sleep it calls `end_sleep` in any case.
  bool begin_sleep(Waiter& waiter) noexcept {
    if (is_held_) return true;
    node_ = {.waiter = &waiter};
    is_listed_ = true;
    all_.sleepers_.add(node_);
    if (all_.has_news() && all_.take()) hold();
    return is_held_;
  }
  void end_sleep(bool was_nudged) noexcept {
    if (!is_listed_) return;
    is_listed_ = false;
    // If the nudge came from elsewhere at that moment, two threads have the watch, which does no harm.
    if (!all_.sleepers_.remove(node_) && was_nudged && !is_held_) hold();
  }

  /// Called after a nap and a sweep. Gives up the watch if nothing was cached for some naps.
  void note_sweep() noexcept {
    if (!is_held_) return;
    if (all_.events() != seen_) return hold();
    if (--naps_left_ != 0) return;
    is_held_ = false;
    all_.swept_.store(seen_, memory_order_relaxed);
    all_.release();
    if (all_.events() != seen_ && all_.take()) hold();
  }

 private:
  // A sweep may have come just before the event; then it takes two more, and a nap that is less than the time between
  // two sweeps may end before the first.
#ifdef XICHAN_RELACY
  static constexpr unsigned naps = 1;
#else
  static constexpr unsigned naps = 3;
#endif

  void hold() noexcept {
    is_held_ = true;
    seen_ = all_.events();
    naps_left_ = naps;
  }

  IdleWatchers& all_;
  WaitNode node_;
  std::uint64_t seen_ = 0;
  unsigned naps_left_ = 0;
  bool is_listed_ = false;
  bool is_held_ = false;
};

}  // namespace xichan::internal
