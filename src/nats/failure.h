// Reports why a call failed: a Status, and a description that the thread keeps for last_error().
#pragma once

#include <new>
#include <string>
#include <utility>

#include "xichan/nats.h"

namespace xichan::nats::internal {

/// Keeps a description and returns `status`. Throws std::bad_alloc.
Status fail(Status status, std::string message, int code = 0);

/// The description that `fail` kept last on this thread.
Error& kept_error() noexcept;

/// Calls a function that returns a Status and may throw std::bad_alloc.
template <class Function>
Status guarded_status(Function&& function) noexcept {
  try {
    return std::forward<Function>(function)();
  } catch (const std::bad_alloc&) {
    kept_error() = Error();
    return Status::no_memory;
  }
}

/// Returns true for the statuses of a call on a channel that has ended.
constexpr bool is_closed(Status status) noexcept {
  return status == Status::closed || status == Status::failed || status == Status::end_closed;
}

}  // namespace xichan::nats::internal
