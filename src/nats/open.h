// Opening endpoints of the channels on a server.
#pragma once

#include <memory>
#include <string_view>

#include "nats/receiver.h"
#include "nats/sender.h"

namespace xichan::nats::internal {

// These functions return what those of Hub return, describe a failure by `fail`, and throw std::bad_alloc.

Status open_channel(HubCore& hub, std::string_view name, const ChannelOptions& options,
                    std::shared_ptr<SenderCore>& sender, std::shared_ptr<ReceiverCore>& receiver);
Status open_sender(HubCore& hub, std::string_view name, std::shared_ptr<SenderCore>& sender);
/// `dead`: opens a Receiver of the dead letters.
Status open_receiver(HubCore& hub, std::string_view name, bool dead, std::shared_ptr<ReceiverCore>& receiver);
Status remove_channel(HubCore& hub, std::string_view name);

}  // namespace xichan::nats::internal
