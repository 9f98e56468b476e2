// Where threads that hold a lock wait until another one notifies them.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string_view>

#include "xichan/lock.h"

namespace xichan {

/// A handle of a condition, with the lock that belongs to it. The class Condition in Python.
///
///     std::lock_guard guard(condition);
///     if (condition.wait_for([&] { return !jobs.empty(); }, 5s) == Status::ok) ...
///
/// A notification goes to the call that has waited longest, and to the next one if that call ends without using it.
/// Thread safety: that of LockBase, whose functions acquire and release the lock. Progress: a short lock.
class XICHAN_API Condition : public StateOf<Condition, StateKind::condition, LockBase> {
 public:
  /// Makes an empty handle.
  Condition() noexcept = default;
  /// Makes a condition with a new RLock. `ok | no_memory`, `name_taken`, `invalid` for a name that is not UTF-8; `out`
  /// is unchanged unless `ok`. An empty `name` stands for none.
  static Status make(Condition& out, std::string_view name = {}) noexcept;
  /// Makes a condition with this lock, which several conditions may share. As above, and `end_closed` if `lock` is
  /// empty.
  static Status make(const Lock& lock, Condition& out, std::string_view name = {}) noexcept;
  static Status make(const RLock& lock, Condition& out, std::string_view name = {}) noexcept;

  /// Opens a handle of its lock. `ok | end_closed`, `not_found` if the lock has the other class.
  Status open_lock(Lock& out) const noexcept;
  Status open_lock(RLock& out) const noexcept;

  /// Releases the lock, blocks until notified, and acquires the lock again, as often as it was held. `ok | timeout`;
  /// `invalid` if the lock is not held, for an RLock by this thread. `owner_died` if the interpreter of an owner has
  /// ended meanwhile: unlike `acquire`, the caller holds the lock then. Acquiring it again has no time limit.
  Status wait(TimeLimit limit = forever) noexcept;
  /// Likewise; returns `cancelled` once a stop is requested, and holds the lock then.
  Status wait(StopRef stop, TimeLimit limit = forever) noexcept;

  /// Calls `holds()`, while the lock is held, and `wait`, in turn. Returns `ok` once the result is true, or what `wait`
  /// returned other than `ok`; after `timeout` it calls `holds` once more. The limit covers the whole call.
  template <class Predicate>
  Status wait_for(Predicate&& holds, TimeLimit limit = forever) {
    return wait_until(holds, limit, [this](Timeout left) noexcept { return wait(left); });
  }
  /// Likewise; returns `cancelled` once a stop is requested.
  template <class Predicate>
  Status wait_for(Predicate&& holds, StopRef stop, TimeLimit limit = forever) {
    return wait_until(holds, limit, [this, stop](Timeout left) noexcept { return wait(stop, left); });
  }

  /// Wakes up to `n` calls of `wait`, those that have waited longest. They return once they have acquired the lock.
  /// `ok | end_closed`; `invalid` if the lock is not held, for an RLock by this thread.
  Status notify(std::uint64_t n = 1) noexcept;
  Status notify_all() noexcept { return notify(UINT64_MAX); }

 private:
  template <class Predicate, class Wait>
  static Status wait_until(Predicate& holds, TimeLimit limit, Wait wait_once) {
    const auto start = std::chrono::steady_clock::now();
    while (!holds()) {
      Timeout left = limit.timeout();
      if (left != forever) left = std::max<Timeout>(left - (std::chrono::steady_clock::now() - start), Timeout::zero());
      const Status status = wait_once(left);
      if (status == Status::timeout && holds()) return Status::ok;
      if (status != Status::ok) return status;
    }
    return Status::ok;
  }
};

}  // namespace xichan
