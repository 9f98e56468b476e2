// A note on the KeyboardInterrupt that ends a blocked call: what the call waited for.
#pragma once

#include "base/state.h"
#include "endpoint/endpoint.h"

namespace xichan::python {

/// Adds a note to the current exception if it is a KeyboardInterrupt: the state of the channel, and what would end the
/// wait. Does nothing if that fails, nor for the mailboxes of xichan.nats, whose calls add notes of their own.
void note_interrupted_wait(Endpoint& endpoint) noexcept;

}  // namespace xichan::python
