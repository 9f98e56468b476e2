// The outcome of an operation of the core. The core throws no exceptions, prints nothing and never aborts.
#pragma once

#include <cstdint>
#include <string_view>

namespace xichan {

/// The outcome of an operation. Thread safety: a plain value.
enum class [[nodiscard]] Status : std::uint8_t {
  ok,
  full,         ///< no free slot
  empty,        ///< no item is ready
  closed,       ///< all endpoints of the other side are closed, or the channel was shut down
  end_closed,   ///< the endpoint or handle that the call was made on is closed
  timeout,      ///< the deadline passed; nothing was sent or received
  interrupted,  ///< a signal or the end of a time slice ended the wait; nothing was sent or received
  no_memory,    ///< the system is out of memory
  arena_full,   ///< the allocation would exceed the arena's byte limit
  not_found,    ///< no such id or ticket
  too_large,    ///< a length or capacity exceeds what the format can represent
  invalid,      ///< malformed input
  claimed,      ///< this side of an spsc channel belongs to another endpoint
  name_taken,   ///< the name is in use
  exiting,      ///< the interpreter or the process is exiting
  failed,       ///< as `closed`, because the other side failed or the channel was shut down with an error
  cancelled,    ///< a stop was requested; nothing was sent or received
  owner_died,   ///< the interpreter that held the lock has ended; see Lock
  broken,       ///< the barrier is broken; see Barrier
  lagged,       ///< messages were dropped before this subscriber received them; see BroadcastReceiver
  unavailable,  ///< a server cannot be reached, gave no reply or refused a request; see nats::last_error
  unconfirmed,  ///< the deadline passed before a server confirmed a value, which it may have stored; see nats::Sender
};

/// Returns a short English phrase for messages and logs.
constexpr std::string_view to_string(Status status) noexcept {
  switch (status) {
    case Status::ok: return "ok";
    case Status::full: return "channel is full";
    case Status::empty: return "channel is empty";
    case Status::closed: return "channel is closed";
    case Status::end_closed: return "this endpoint is closed";
    case Status::timeout: return "timed out";
    case Status::interrupted: return "interrupted";
    case Status::no_memory: return "out of memory";
    case Status::arena_full: return "memory limit exceeded; see set_memory_limit()";
    case Status::not_found: return "not found";
    case Status::too_large: return "too large";
    case Status::invalid: return "malformed input";
    case Status::name_taken: return "the name is in use";
    case Status::exiting: return "the interpreter is shutting down";
    case Status::failed: return "the channel failed";
    case Status::cancelled: return "a stop was requested";
    case Status::owner_died: return "the interpreter that held the lock has ended";
    case Status::broken: return "the barrier is broken";
    case Status::lagged: return "messages were dropped before this subscriber received them";
    case Status::unavailable: return "the server is unavailable or refused the request";
    case Status::unconfirmed: return "timed out: the server did not confirm the value";
    case Status::claimed: return "this side of an spsc channel belongs to another endpoint until that is closed";
  }
  return "unknown status";
}

}  // namespace xichan
