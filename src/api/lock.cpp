#include "xichan/lock.h"

#include <new>

#include "api/state_access.h"
#include "state/condition.h"

namespace xichan {

using internal::SharedCondition, internal::SharedLock, internal::StateAccess, internal::StateObject;
using Attempt = SharedLock::Attempt;

namespace {

// Returns the lock of a Lock, RLock or Condition.
SharedLock* lock_of(const LockBase& handle) noexcept {
  auto* const object = StateAccess::usable<StateObject>(handle);
  if (object == nullptr || object->kind() != StateKind::condition) return static_cast<SharedLock*>(object);
  return &static_cast<SharedCondition*>(object)->guard();
}

Status acquire_by(SharedLock& lock, internal::Deadline deadline, const internal::Stop* stop) noexcept {
  const internal::Token token = internal::thread_token();
  Attempt attempt = lock.try_acquire(token);
  if (attempt == Attempt::busy) {
    if (deadline.passed()) return Status::timeout;
    internal::Request request = SharedLock::request_of(token);
    const Status status = internal::wait_admitted(lock, request, deadline, stop);
    if (status != Status::ok) return status;
    attempt = static_cast<Attempt>(request.answer);
  }
  return attempt == Attempt::acquired ? Status::ok : Status::owner_died;
}

}  // namespace

Status Lock::make(Lock& out, std::string_view name) noexcept {
  return StateAccess::introduce(new (std::nothrow) SharedLock(false), name, out);
}

Status RLock::make(RLock& out, std::string_view name) noexcept {
  return StateAccess::introduce(new (std::nothrow) SharedLock(true), name, out);
}

Status LockBase::acquire(TimeLimit limit) noexcept {
  SharedLock* const held = lock_of(*this);
  return held == nullptr ? Status::end_closed : acquire_by(*held, internal::deadline_of(limit), nullptr);
}

Status LockBase::acquire(StopRef stop, TimeLimit limit) noexcept {
  SharedLock* const held = lock_of(*this);
  if (held == nullptr) return Status::end_closed;
  return internal::run_stoppable_at(
      *held, stop, limit,
      [=](internal::Deadline deadline, const internal::Stop* by) noexcept { return acquire_by(*held, deadline, by); });
}

Status LockBase::release() noexcept {
  SharedLock* const held = lock_of(*this);
  if (held == nullptr) return Status::end_closed;
  return held->release_once(internal::thread_token()) ? Status::ok : Status::invalid;
}

bool LockBase::locked() const noexcept {
  const SharedLock* held = lock_of(*this);
  return held != nullptr && held->is_locked();
}

}  // namespace xichan
