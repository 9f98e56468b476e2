// Finds a channel by its id. A slot is used again under a new generation and a new secret, so an id that is stale or
// guessed finds nothing.
//
// Thread safety: any thread. Progress: a short lock; nothing on the path of a message comes here.
#pragma once

#include "channel/channel.h"

namespace xichan::internal {

class XICHAN_API Registry {
 public:
  /// Gives the channel an id. False if there is no memory or no slot.
  static bool add(Channel& channel) noexcept;
  static void remove(const ChannelId& id) noexcept;

  /// Opens one more end of the channel, or answers null: no such channel, or that side is finished.
  static Channel* open(const ChannelId& id, Side side) noexcept;

  /// Walks all channels: the next one at or after `place`, pinned, with `place` moved past it; null at the end. `place`
  /// begins at 0.
  static Channel* next(std::uint64_t& place) noexcept;

  /// Makes every call that waits in any channel look at the world again. Not under a lock.
  static void nudge_all() noexcept;

  // Around a fork, see process.cpp; the child forgets all channels.
  static void lock_for_fork() noexcept;
  static void unlock_after_fork(bool in_child) noexcept;

  /// Channels alive in the process.
  static std::uint64_t size() noexcept;
};

}  // namespace xichan::internal
