#include "xichan/semaphore.h"

#include <new>

#include "api/state_access.h"
#include "state/semaphore.h"

namespace xichan {

using internal::SharedSemaphore, internal::StateAccess;

namespace {

SharedSemaphore* semaphore_of(const Semaphore& handle) noexcept { return StateAccess::usable<SharedSemaphore>(handle); }

Status acquire_by(SharedSemaphore& semaphore, internal::Deadline deadline, const internal::Stop* stop) noexcept {
  if (semaphore.try_acquire()) return Status::ok;
  if (deadline.passed()) return Status::timeout;
  internal::Request request;
  return internal::wait_admitted(semaphore, request, deadline, stop);
}

}  // namespace

Status Semaphore::make(std::uint64_t value, Semaphore& out, std::string_view name) noexcept {
  if (value > INT64_MAX) return Status::too_large;
  return StateAccess::introduce(new (std::nothrow) SharedSemaphore(value), name, out);
}

Status Semaphore::acquire(TimeLimit limit) noexcept {
  SharedSemaphore* const semaphore = semaphore_of(*this);
  return semaphore == nullptr ? Status::end_closed : acquire_by(*semaphore, internal::deadline_of(limit), nullptr);
}

Status Semaphore::acquire(StopRef stop, TimeLimit limit) noexcept {
  SharedSemaphore* const semaphore = semaphore_of(*this);
  if (semaphore == nullptr) return Status::end_closed;
  return internal::run_stoppable_at(*semaphore, stop, limit,
                                    [=](internal::Deadline deadline, const internal::Stop* by) noexcept {
                                      return acquire_by(*semaphore, deadline, by);
                                    });
}

Status Semaphore::release(std::uint64_t n) noexcept {
  SharedSemaphore* const semaphore = semaphore_of(*this);
  if (semaphore == nullptr) return Status::end_closed;
  return semaphore->release_many(n) ? Status::ok : Status::too_large;
}

std::uint64_t Semaphore::value() const noexcept {
  const SharedSemaphore* semaphore = semaphore_of(*this);
  return semaphore == nullptr ? 0 : semaphore->value();
}

}  // namespace xichan
