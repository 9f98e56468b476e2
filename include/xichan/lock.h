// Locks that all interpreters and threads of the process acquire.
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>

#include "xichan/state_object.h"

namespace xichan {

namespace internal {
// Throws std::system_error; a program that is compiled without exceptions aborts.
[[noreturn]] inline void throw_lock_failure([[maybe_unused]] Status status) {
#ifdef __cpp_exceptions
  const auto code = status == Status::owner_died ? std::errc::owner_dead : std::errc::operation_not_permitted;
  throw std::system_error(std::make_error_code(code), std::string(to_string(status)));
#else
  std::abort();
#endif
}
}  // namespace internal

/// The operations of everything that has a lock: Lock, RLock and Condition.
///
/// Calls acquire a lock in the order in which they began to wait. If the interpreter whose thread holds it ends, the
/// lock becomes free, and the next call that acquires it returns `owner_died`, once, and does not hold it: what the
/// lock protects may be half changed. Repair it, then acquire the lock again. A thread of C++ that ends keeps its locks
/// held.
///
/// It is a TimedLockable: std::lock_guard, std::unique_lock and std::scoped_lock take it. Their functions have no
/// status to return. `lock` and `try_lock...` throw std::system_error instead, with std::errc::owner_dead for
/// `owner_died` and std::errc::operation_not_permitted for an empty handle, and do not hold the lock then; a program
/// that is compiled without exceptions aborts. Programs that repair use `acquire`.
///
/// Thread safety: that of StateBase. Progress: a free lock is acquired, and one without waiters is released, in one
/// step; otherwise a short lock.
class XICHAN_API LockBase : public StateBase {
 public:
  /// Acquires the lock; blocks until it is free. `ok | timeout | owner_died | end_closed`. With a limit of zero it
  /// never blocks.
  Status acquire(TimeLimit limit = forever) noexcept;
  /// Likewise; returns `cancelled` once a stop is requested.
  Status acquire(StopRef stop, TimeLimit limit = forever) noexcept;
  /// Releases the lock, which goes to the call that has waited longest. `ok`, or `invalid` if it is not held, or an
  /// RLock is not held by this thread. Never blocks.
  Status release() noexcept;
  /// Returns true if the lock is held.
  bool locked() const noexcept;

  void lock() {
    if (const Status status = acquire(); status != Status::ok) internal::throw_lock_failure(status);
  }
  bool try_lock() { return try_lock_until(Timeout::zero()); }
  bool try_lock_for(TimeLimit limit) { return try_lock_until(limit); }
  bool try_lock_until(TimeLimit limit) {
    const Status status = acquire(limit);
    if (status != Status::ok && status != Status::timeout) internal::throw_lock_failure(status);
    return status == Status::ok;
  }
  /// Releases the lock. The caller must hold it.
  void unlock() noexcept { (void)release(); }

 protected:
  LockBase() noexcept = default;
};

/// A handle of a lock. Any thread may release it. The class Lock in Python. Thread safety: that of LockBase.
class XICHAN_API Lock : public StateOf<Lock, StateKind::lock, LockBase> {
 public:
  /// Makes an empty handle.
  Lock() noexcept = default;
  /// Makes a lock that is free. `ok | no_memory`, `name_taken`, `invalid` for a name that is not UTF-8; `out` is
  /// unchanged unless `ok`. An empty `name` stands for none.
  static Status make(Lock& out, std::string_view name = {}) noexcept;
};

/// A handle of a lock that its owner may acquire again; it is free once it has been released as often. The class RLock
/// in Python. Thread safety: that of LockBase.
///
/// The owner is a thread, in C++ or in one interpreter: a thread that holds it in C++ and then enters Python, or
/// another interpreter, is another owner there.
class XICHAN_API RLock : public StateOf<RLock, StateKind::rlock, LockBase> {
 public:
  /// Makes an empty handle.
  RLock() noexcept = default;
  /// As Lock::make.
  static Status make(RLock& out, std::string_view name = {}) noexcept;
};

}  // namespace xichan
