// What an operation of the core answers. The core throws no exceptions, prints nothing and never aborts.
#pragma once

#include <cstdint>
#include <string_view>

namespace xichan {

/// Outcome of an operation. Thread safety: a plain value.
enum class [[nodiscard]] Status : std::uint8_t {
  ok,
  full,         ///< no slot free now
  empty,        ///< no item ready now
  closed,       ///< the other side has gone, or the channel was shut down
  end_closed,   ///< the very end that the call was made on was closed
  timeout,      ///< the deadline passed; nothing was sent or taken
  interrupted,  ///< the wait was cut short (a signal, or its slice ended); nothing was sent or taken
  no_memory,    ///< the system has no memory left
  arena_full,   ///< the arena's byte limit would be passed
  not_found,    ///< no such id or ticket
  too_large,    ///< a length or capacity outside what the format can hold
  invalid,      ///< malformed input
  claimed,      ///< this side of an spsc channel belongs to another end
  name_taken,   ///< the name is in use
  exiting,      ///< the interpreter or the process is about to end
};

/// A short English phrase, for messages and logs.
constexpr std::string_view to_string(Status status) noexcept {
  switch (status) {
    case Status::ok: return "ok";
    case Status::full: return "channel is full";
    case Status::empty: return "channel is empty";
    case Status::closed: return "channel is closed";
    case Status::end_closed: return "this end is closed";
    case Status::timeout: return "timed out";
    case Status::interrupted: return "interrupted";
    case Status::no_memory: return "out of memory";
    case Status::arena_full: return "arena memory limit reached";
    case Status::not_found: return "not found";
    case Status::too_large: return "too large";
    case Status::invalid: return "malformed input";
    case Status::name_taken: return "the name is in use";
    case Status::exiting: return "interpreter is shutting down";
    case Status::claimed: return "this side of an spsc channel belongs to another end until that is closed";
  }
  return "unknown status";
}

}  // namespace xichan
