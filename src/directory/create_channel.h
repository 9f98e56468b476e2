// Creation of channels that the registry and the table of names know.
#pragma once

#include "channel/channel.h"

namespace xichan::internal {

/// Creates a channel with one endpoint counted on each side, enters it in the registry, and claims its name if it has
/// one. The channel leaves both when it is retired.
///
/// Errors: `too_large` (see Channel::create), `name_taken`, `no_memory`. Any thread; takes short locks.
XICHAN_API Status create_channel(const ChannelOptions& options, Channel*& channel,
                                 const ChannelNote& note = {}) noexcept;

}  // namespace xichan::internal
