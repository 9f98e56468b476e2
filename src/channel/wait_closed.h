// Blocking until a channel is closed: all endpoints of one side are closed, or it is shut down.
//
// The waiters are in a list of their own, so that messages neither wake them nor look at them.
#pragma once

#include "channel/select.h"

namespace xichan::internal {

/// Sleeps until the channel is closed: `ok | end_closed | timeout | interrupted`. `side` and `end_closed` are those of
/// the endpoint that the call is made on, and `owner` the one that cancels the call. The caller must hold a pin.
XICHAN_API Status wait_closed(Channel& channel, Side side, const atomic<bool>& end_closed, const void* owner,
                              const WaitLimits& limits) noexcept;

}  // namespace xichan::internal
