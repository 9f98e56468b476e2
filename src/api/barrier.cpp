#include "xichan/barrier.h"

#include <new>

#include "api/state_access.h"
#include "state/barrier.h"

namespace xichan {

using internal::SharedBarrier, internal::StateAccess, internal::WaitRecord;

namespace {

SharedBarrier* barrier_of(const Barrier& handle) noexcept { return StateAccess::usable<SharedBarrier>(handle); }

// The limit of a call, or that of the barrier.
TimeLimit limit_of(const SharedBarrier& barrier, TimeLimit limit) noexcept {
  return limit.timeout() == forever && barrier.timeout() >= 0 ? TimeLimit(Timeout(barrier.timeout())) : limit;
}

Status wait_by(SharedBarrier& barrier, std::uint64_t& index, internal::Deadline deadline,
               const internal::Stop* stop) noexcept {
  WaitRecord record;
  Status status = Status::ok;
  if (barrier.enter(record) == WaitRecord::Outcome::waiting) {
    internal::Request request = SharedBarrier::request_of(record);
    status = internal::wait_admitted(barrier, request, deadline, stop);
  }
  // All may have arrived since it timed out or was stopped: then it has passed.
  const bool ends_early = status != Status::ok;
  const auto outcome = barrier.leave(record, true);
  if (outcome == WaitRecord::Outcome::broken) return ends_early ? status : Status::broken;
  index = record.index;
  return Status::ok;
}

}  // namespace

Status Barrier::make(std::uint64_t parties, Barrier& out, TimeLimit limit, std::string_view name) noexcept {
  if (parties == 0) return Status::invalid;
  const std::int64_t timeout = limit.timeout() == forever ? -1 : limit.timeout().count();
  return StateAccess::introduce(new (std::nothrow) SharedBarrier(parties, timeout), name, out);
}

Status Barrier::wait(std::uint64_t& index, TimeLimit limit) noexcept {
  SharedBarrier* const barrier = barrier_of(*this);
  if (barrier == nullptr) return Status::end_closed;
  return wait_by(*barrier, index, internal::deadline_of(limit_of(*barrier, limit)), nullptr);
}

Status Barrier::wait(std::uint64_t& index, StopRef stop, TimeLimit limit) noexcept {
  SharedBarrier* const barrier = barrier_of(*this);
  if (barrier == nullptr) return Status::end_closed;
  return internal::run_stoppable_at(*barrier, stop, limit_of(*barrier, limit),
                                    [&](internal::Deadline deadline, const internal::Stop* by) noexcept {
                                      return wait_by(*barrier, index, deadline, by);
                                    });
}

void Barrier::reset() noexcept {
  if (SharedBarrier* const barrier = barrier_of(*this)) barrier->reset();
}

void Barrier::abort() noexcept {
  if (SharedBarrier* const barrier = barrier_of(*this)) barrier->abort();
}

std::uint64_t Barrier::parties() const noexcept {
  const SharedBarrier* barrier = barrier_of(*this);
  return barrier == nullptr ? 0 : barrier->parties();
}

std::uint64_t Barrier::arrived() const noexcept {
  SharedBarrier* const barrier = barrier_of(*this);
  return barrier == nullptr ? 0 : barrier->arrived();
}

bool Barrier::broken() const noexcept {
  SharedBarrier* const barrier = barrier_of(*this);
  return barrier != nullptr && barrier->is_broken();
}

}  // namespace xichan
