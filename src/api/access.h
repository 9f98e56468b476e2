// Helpers of the public interface: waiting without an interpreter.
#pragma once

#include <algorithm>

#include "channel/select.h"
#include "value/value_access.h"
#include "xichan/channel.h"

namespace xichan::internal {

/// The flag of a case that never closes or exits. One thread at a time uses a public endpoint, so it is not closed
/// during a call, and it belongs to no interpreter.
inline constinit const atomic<bool> never{false};

inline Deadline deadline_of(Timeout timeout) noexcept {
  return timeout == forever ? Deadline::never() : Deadline::after(std::max<std::int64_t>(timeout.count(), 0));
}

inline WaitLimits limits_until(Deadline deadline) noexcept {
  return {deadline, Deadline::never(), &never, process_is_exiting()};
}

/// Calls wait_any until it is not interrupted. A signal does not end the wait.
inline Status wait_until(Deadline deadline, std::span<Case> cases, std::size_t& chosen) noexcept {
  Status status;
  do {
    status = wait_any(cases, limits_until(deadline), chosen);
  } while (status == Status::interrupted);
  return status;
}

inline Case case_of(Channel& channel, Side side, Lane& lane, const Cell& cell) noexcept {
  return {.channel = &channel, .side = side, .lane = &lane, .end_closed = &never, .owner = nullptr, .cell = cell};
}

/// Returns true for a name that Python can represent: not empty, and UTF-8 without surrogates.
bool is_name(std::string_view name) noexcept;

/// Blocks until names change: `ok`, or `not_found` past the deadline.
Status wait_for_names(std::uint32_t seen, Deadline deadline) noexcept;

}  // namespace xichan::internal
