// With what error a channel has ended: a key in a key-value bucket.
#pragma once

#include "nats/calls.h"
#include "nats/settings.h"

namespace xichan::nats::internal {

/// Records the error of a channel, unless there is one. `invalid` if the error cannot be dumped.
Status record_error(Calls& calls, const Names& names, const Settings& settings, const Value& error);

/// Removes the error of an earlier channel of this name.
Status forget_error(Calls& calls, const Names& names, const Settings& settings);

/// Returns the status of calls on a channel that has ended, described by `message`: `failed`, with the error, or
/// `closed`. Other statuses if the server cannot be asked.
Status closing_status(Calls& calls, const Names& names, const Settings& settings, const std::string& message,
                      Value& error);

}  // namespace xichan::nats::internal
