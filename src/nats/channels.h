// Making a channel on the server, and joining one: its stream, and the consumer of its Receivers.
#pragma once

#include "nats/calls.h"
#include "nats/settings.h"

namespace xichan::nats::internal {

/// Finds a channel that exists. `not_found` if there is none.
Status join(Calls& calls, const Names& names, Settings& settings);

/// Makes a channel, or joins one with the same settings. One that has ended and is drained is made anew. `invalid` if
/// it exists with other settings; `closed` if it has ended and still holds values.
Status create(Calls& calls, const Names& names, const Settings& settings);

/// Deletes a channel with its values. `not_found` if there is none.
Status remove(Calls& calls, const Names& names);

/// Has a channel refuse values from now on. Does nothing if it is deleted or sealed. `by`: "shutdown", or "senders".
Status seal(Calls& calls, const Names& names, const Settings& settings, std::string_view by);

}  // namespace xichan::nats::internal
