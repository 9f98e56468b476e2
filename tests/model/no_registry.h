// Stands in for src/directory/registry.cpp in the models that find no channel by id: it counts live channels, and
// writes to `World::memory` when the last one is removed.
#pragma once

#include "channel_under_model.h"

namespace xichan::internal {

bool Registry::add(Channel& channel) noexcept {
  channel.set_id({1, 1});
  ++model::world->channels;
  return true;
}
void Registry::remove(const ChannelId&) noexcept {
  if (--model::world->channels == 0) model::world->memory($) = 0;
}
std::uint64_t Registry::size() noexcept { return static_cast<std::uint64_t>(model::world->channels); }

}  // namespace xichan::internal
