#include "directory/create_channel.h"

#include "directory/names.h"
#include "directory/registry.h"

namespace xichan::internal {
namespace {

void retire(Channel& channel) noexcept {
  if (channel.owns_name()) Names::remove(channel.name());
  if (channel.id() != ChannelId{}) Registry::remove(channel.id());
}

// Another thread that walks the registry may have pinned the channel, so it is not deleted directly.
void abandon(Channel& channel) noexcept {
  channel.drop_endpoint(Side::sender);
  channel.drop_endpoint(Side::receiver);
}

}  // namespace

Status create_channel(const ChannelOptions& options, Channel*& channel, const ChannelNote& note) noexcept {
  channel = nullptr;
  Channel* fresh = nullptr;
  const Status created = Channel::create(options, retire, fresh, note);
  if (created != Status::ok) return created;
  if (!Registry::add(*fresh)) {
    abandon(*fresh);
    return Status::no_memory;
  }
  // Claimed last, because the table of names stores the id.
  if (!options.name.empty()) {
    const Status claimed = Names::add_channel(options.name, fresh->id());
    if (claimed != Status::ok) {
      abandon(*fresh);
      return claimed;
    }
    fresh->set_owns_name();
  }
  channel = fresh;
  return Status::ok;
}

}  // namespace xichan::internal
