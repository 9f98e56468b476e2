// What a ring keeps for one end of a channel: the producer token of the relaxed flavor, and, by its address, who has
// claimed a side of the spsc flavor.
#pragma once

#include "sync/short_lock.h"

namespace xichan::internal {

struct Lane {
  ShortLock lock;         // calls of several threads on one end; guards `token`
  void* token = nullptr;  // owned by the ring; given back with RelaxedRing::forget
};

}  // namespace xichan::internal
