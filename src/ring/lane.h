// The state that a ring and a channel keep for one endpoint: the producer token of the relaxed flavor, and the ticket
// of a coroutine that has waited for bytes. The address of a lane also identifies the endpoint that has claimed a side
// of an spsc channel.
#pragma once

#include <cstdint>

#include "base/atomic.h"
#include "sync/short_lock.h"

namespace xichan::internal {

struct Lane {
  Lane() noexcept { ticket.store(0, memory_order_relaxed); }

  ShortLock lock;                // serializes the pushes of threads that share one endpoint; guards `token`
  void* token = nullptr;         // owned by the ring; released by RelaxedRing::forget
  atomic<std::uint64_t> ticket;  // under a byte bound: of the coroutine that is about to send, see Watch::close
};

}  // namespace xichan::internal
