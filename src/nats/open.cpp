#include "nats/open.h"

#include "nats/channels.h"

namespace xichan::nats::internal {
namespace {

template <class Core>
Status open(HubCore& hub, const Names& names, const Settings& settings, std::shared_ptr<Core>& out) {
  auto made = std::make_shared<Core>(hub.shared_from_this(), names, settings);
  const Status status = made->open();
  if (status != Status::ok) return status;
  hub.add(made);
  out = std::move(made);
  return Status::ok;
}

template <class Core>
Status join_and_open(HubCore& hub, std::string_view name, bool dead, std::shared_ptr<Core>& out) {
  Status status = hub.check();
  if (status == Status::ok) status = check_name(name);
  if (status != Status::ok) return status;
  const Names names(name, dead);
  Settings settings;
  status = join(hub.calls, names, settings);
  return status == Status::ok ? open(hub, names, settings, out) : status;
}

}  // namespace

Status open_channel(HubCore& hub, std::string_view name, const ChannelOptions& options,
                    std::shared_ptr<SenderCore>& sender, std::shared_ptr<ReceiverCore>& receiver) {
  const Settings settings{options};
  Status status = hub.check();
  if (status == Status::ok) status = check_name(name);
  if (status == Status::ok) status = settings.check();
  if (status != Status::ok) return status;
  const Names names(name, false);
  status = create(hub.calls, names, settings);
  if (status == Status::ok) status = open(hub, names, settings, sender);
  if (status != Status::ok) return status;
  status = open(hub, names, settings, receiver);
  if (status == Status::ok) return status;
  const Error error = kept_error();
  sender->close_quietly();
  return fail(status, error.message, error.code);
}

Status open_sender(HubCore& hub, std::string_view name, std::shared_ptr<SenderCore>& sender) {
  return join_and_open(hub, name, false, sender);
}

Status open_receiver(HubCore& hub, std::string_view name, bool dead, std::shared_ptr<ReceiverCore>& receiver) {
  return join_and_open(hub, name, dead, receiver);
}

Status remove_channel(HubCore& hub, std::string_view name) {
  Status status = hub.check();
  if (status == Status::ok) status = check_name(name);
  if (status != Status::ok) return status;
  status = remove(hub.calls, Names(name, true));
  return status == Status::ok || status == Status::not_found ? remove(hub.calls, Names(name, false)) : status;
}

}  // namespace xichan::nats::internal
