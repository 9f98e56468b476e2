#include "xichan/condition.h"

#include <new>

#include "api/state_access.h"
#include "state/condition.h"

namespace xichan {

using internal::SharedCondition, internal::SharedLock, internal::StateAccess, internal::WaitRecord;
using Attempt = SharedLock::Attempt;

namespace {

SharedCondition* condition_of(const Condition& handle) noexcept { return StateAccess::usable<SharedCondition>(handle); }

// Takes over one reference to the lock, also on failure.
Status make_with(SharedLock* lock, Condition& out, std::string_view name) noexcept {
  if (lock == nullptr) return Status::no_memory;
  auto* const condition = new (std::nothrow) SharedCondition(*lock);
  if (condition == nullptr) lock->release();
  return StateAccess::introduce(condition, name, out);
}

Status make_with(const LockBase& lock, Condition& out, std::string_view name) noexcept {
  auto* const object = StateAccess::usable<SharedLock>(lock);
  if (object == nullptr) return Status::end_closed;
  object->retain();
  return make_with(object, out, name);
}

Status open_guard(const Condition& condition, StateKind kind, LockBase& out) noexcept {
  SharedCondition* const object = condition_of(condition);
  if (object == nullptr) return Status::end_closed;
  if (object->guard().kind() != kind) return Status::not_found;
  object->guard().retain();
  StateAccess::adopt(out, object->guard());
  return Status::ok;
}

// Acquires the lock again, however long it takes. Returns false if its owner died meanwhile.
bool acquire_again(SharedLock& lock, internal::Token token, std::uint64_t depth) noexcept {
  bool intact = true;
  for (;;) {
    Attempt attempt = lock.try_acquire(token);
    if (attempt == Attempt::busy) {
      internal::Request request = SharedLock::request_of(token);
      (void)internal::wait_admitted(lock, request, internal::Deadline::never(), nullptr);  // `ok`: nothing ends it
      attempt = static_cast<Attempt>(request.answer);
    }
    if (attempt == Attempt::acquired) break;
    intact = false;
  }
  lock.restore(depth);
  return intact;
}

Status wait_by(SharedCondition& condition, internal::Deadline deadline, const internal::Stop* stop) noexcept {
  const internal::Token token = internal::thread_token();
  WaitRecord record;
  condition.enter(record);
  const std::uint64_t depth = condition.guard().release_all(token);
  if (depth == 0) {
    (void)condition.leave(record, false);
    return Status::invalid;
  }
  internal::Request request = SharedCondition::request_of(record);
  const Status status = internal::wait_admitted(condition, request, deadline, stop);
  const bool notified = condition.leave(record, true) == WaitRecord::Outcome::passed;
  if (!acquire_again(condition.guard(), token, depth)) {
    if (notified) condition.notify(1);  // this call does not use it
    return Status::owner_died;
  }
  return notified ? Status::ok : status;
}

}  // namespace

Status Condition::make(Condition& out, std::string_view name) noexcept {
  auto* const lock = new (std::nothrow) SharedLock(true);
  if (lock != nullptr) internal::StateObjects::add(*lock);
  return make_with(lock, out, name);
}
Status Condition::make(const Lock& lock, Condition& out, std::string_view name) noexcept {
  return make_with(lock, out, name);
}
Status Condition::make(const RLock& lock, Condition& out, std::string_view name) noexcept {
  return make_with(lock, out, name);
}

Status Condition::open_lock(Lock& out) const noexcept { return open_guard(*this, StateKind::lock, out); }
Status Condition::open_lock(RLock& out) const noexcept { return open_guard(*this, StateKind::rlock, out); }

Status Condition::wait(TimeLimit limit) noexcept {
  SharedCondition* const condition = condition_of(*this);
  return condition == nullptr ? Status::end_closed : wait_by(*condition, internal::deadline_of(limit), nullptr);
}

Status Condition::wait(StopRef stop, TimeLimit limit) noexcept {
  SharedCondition* const condition = condition_of(*this);
  if (condition == nullptr) return Status::end_closed;
  return internal::run_stoppable_at(*condition, stop, limit,
                                    [=](internal::Deadline deadline, const internal::Stop* by) noexcept {
                                      return wait_by(*condition, deadline, by);
                                    });
}

Status Condition::notify(std::uint64_t n) noexcept {
  SharedCondition* const condition = condition_of(*this);
  if (condition == nullptr) return Status::end_closed;
  const SharedLock& lock = condition->guard();
  const bool holds = lock.kind() == StateKind::lock ? lock.is_locked() : lock.owned_by(internal::thread_token());
  if (!holds) return Status::invalid;
  condition->notify(n);
  return Status::ok;
}

}  // namespace xichan
