// Waiting for the first of several cases; a plain blocking call is a select of one.
//
// Algorithm: poll; then enlist every case in its channel's list, sleep until one state word is decided, delist all, try
// again. Exactly one effect: a passive operation is decided by one compare-and-swap of that word, an active one is
// enlisted nowhere. docs/explanation/memory-ordering.md argues why no wake-up is lost; tests/model/wait_protocol.py
// searches it.
#pragma once

#include <span>

#include "base/deadline.h"
#include "channel/channel.h"

namespace xichan::internal {

struct Case {
  Channel* channel;
  Side side;
  Lane* lane;
  const atomic<bool>* end_closed;  // set, and cancelled by the owner below, when the end of this case is closed
  const void* owner;
  Cell cell;      // what to send (taken over if this case is chosen with `ok`), or what was received
  WaitNode node;  // private to the wait
};

/// What bounds one round of waiting.
struct WaitLimits {
  Deadline deadline;                  // past it: `timeout`
  Deadline slice;                     // past it: `interrupted`, so that the caller can look at the world and call again
  const atomic<bool>* owner_exiting;  // the caller's interpreter is about to end
  bool exiting;                       // the caller knows that it, or the process, is; if that changes: `interrupted`
};

/// One attempt at each case, from a different one each time: `ok`, or another final answer, with `chosen` set; else
/// `full` or `empty`. Never waits.
XICHAN_API Status try_any(std::span<Case> cases, std::size_t& chosen) noexcept;

/// Spins shortly, then sleeps, until one case is decided: what `try_any` answers, or `end_closed` with `chosen` set;
/// else `timeout`, `interrupted`, `no_memory`. Only `ok` has sent or taken anything, and that once. The caller holds a
/// pin of every channel.
XICHAN_API Status wait_any(std::span<Case> cases, const WaitLimits& limits, std::size_t& chosen) noexcept;

}  // namespace xichan::internal
