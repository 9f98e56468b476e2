// Dead letters: values that no Receiver could process, in a stream of their own beside the channel's.
#pragma once

#include "nats/calls.h"
#include "nats/consumer.h"
#include "nats/settings.h"

namespace xichan::nats::internal {

/// Stores a delivered value in the dead letters. The caller acknowledges it to the channel then.
Status store_dead_letter(Calls& calls, const Names& names, const Settings& settings, const Consumer::Accepted& delivery,
                         const std::string& reason);

}  // namespace xichan::nats::internal
