// The figures of a channel on a server.
#pragma once

#include "nats/calls.h"

namespace xichan::nats::internal {

Status read_stats(Calls& calls, const Names& names, Stats& out);

}  // namespace xichan::nats::internal
