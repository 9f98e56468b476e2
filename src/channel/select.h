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
#include "page/wait_report.h"
#include "sync/wait_limits.h"

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

/// Returns what readers of the page see of a wait on a channel.
inline WaitTarget wait_target(const Channel& channel, Side side, bool until_closed = false) noexcept {
  return {.what = WaitTarget::What::channel,
          .receives = side == Side::receiver,
          .until_closed = until_closed,
          .low = channel.id().place,
          .high = channel.id().secret};
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
