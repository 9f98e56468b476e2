// Blocking until one of several cases can proceed. A plain blocking call is a select with one case.
//
// Algorithm: poll; then enlist every case in its channel's wait list, sleep until one state word is decided, delist
// all, try again. Exactly one case takes effect: a peer completes a waiting operation by one compare-and-swap of that
// word, and a thread that acts itself is in no list. docs/explanation/memory-ordering.md proves that no wake-up is
// lost; tests/model/wait_protocol.py searches for one.
#pragma once

#include <span>

#include "base/deadline.h"
#include "channel/channel.h"

namespace xichan::internal {

struct Case {
  Channel* channel;
  Side side;
  Lane* lane;
  const atomic<bool>* end_closed;  // set when the endpoint of this case is closed, before its `owner` is cancelled
  const void* owner;
  Cell cell;             // the message to send (taken over if this case is chosen with `ok`), or the one received
  WaitNode node = {};    // private to the wait
  Line* line = nullptr;  // of the message: see Channel::try_recv and try_send_line
};

/// The bounds of one round of waiting.
struct WaitLimits {
  Deadline deadline;                  // past it: `timeout`
  Deadline slice;                     // past it: `interrupted`; the caller re-checks all conditions
  const atomic<bool>* owner_exiting;  // the caller's interpreter is being finalized
  bool exiting;                       // the caller knows that it is exiting; a change returns `interrupted`
  const atomic<std::uint32_t>* interrupts = nullptr;  // counts interrupts of the owner's threads; null: there are none
  std::uint32_t interrupts_seen = 0;                  // a change returns `interrupted`
};

/// Returns true if the wait must end: an exit or an interrupt has begun since the caller set the limits.
inline bool exit_began(const WaitLimits& limits) noexcept {
  return (!limits.exiting && (process_is_exiting() || limits.owner_exiting->load(memory_order_seq_cst))) ||
         (limits.interrupts != nullptr && limits.interrupts->load(memory_order_seq_cst) != limits.interrupts_seen);
}

/// Attempts the cases in random order until one is final: returns its status and stores its index in `chosen`. Returns
/// `full` or `empty` only if at one moment none was ready (see select.cpp). Never blocks.
XICHAN_API Status try_any(std::span<Case> cases, std::size_t& chosen) noexcept;

/// Spins briefly, then sleeps, until one case is final: returns what `try_any` returns, or `end_closed` with `chosen`
/// set; else `timeout` (only if at one moment none was ready), `interrupted` or `no_memory`. Only `ok` has sent or
/// received a message, exactly one. The caller must hold a pin of every channel. After `interrupted`, call it again
/// with the same cases, or `give_up` each of them.
XICHAN_API Status wait_any(std::span<Case> cases, const WaitLimits& limits, std::size_t& chosen) noexcept;

/// Ends a call that `wait_any` has interrupted. Not needed for a case whose endpoint has been closed meanwhile.
XICHAN_API void give_up(const Case& c) noexcept;

}  // namespace xichan::internal
