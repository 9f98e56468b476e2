// The state that a ring and a channel keep for one endpoint: the producer token of the relaxed flavor. The address of a
// lane also identifies the endpoint that has claimed a side of an spsc channel.
#pragma once

#include "sync/short_lock.h"

namespace xichan::internal {

struct Lane {
  ShortLock lock;         // serializes the pushes of threads that share one endpoint; guards `token`
  void* token = nullptr;  // owned by the ring; released by RelaxedRing::forget
};

}  // namespace xichan::internal
