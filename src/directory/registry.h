// Finds channels by id. A slot is reused with a new generation and a new secret, so a stale or guessed id finds no
// channel.
//
// Thread safety: any thread. Progress: a short lock; no message passes through here.
#pragma once

#include "channel/channel.h"

namespace xichan::internal {

class XICHAN_API Registry {
 public:
  /// Adds a channel and sets its id. Returns false if memory or slots are exhausted.
  static bool add(Channel& channel) noexcept;
  static void remove(const ChannelId& id) noexcept;

  /// Adds an endpoint to the channel and returns it. Returns null if there is no such channel or that side is finished.
  static Channel* open(const ChannelId& id, Side side) noexcept;

  /// Iterates over all channels: returns the first one at or after `place`, pinned, and moves `place` past it; null at
  /// the end. Start with `place` 0. Takes constant time.
  static Channel* next(std::uint64_t& place) noexcept;

  /// Makes every waiting call of every channel re-check all conditions. Not under a lock.
  static void nudge_all() noexcept;

  // Called around a fork by process.cpp. The child removes all channels.
  static void lock_for_fork() noexcept;
  static void unlock_after_fork(bool in_child) noexcept;

  /// Test hook: sets the generation of the slot of this id, whose channel no longer lives.
  static void set_generation(const ChannelId& id, std::uint64_t generation) noexcept;

  /// Returns the number of live channels in the process.
  static std::uint64_t size() noexcept;
};

}  // namespace xichan::internal
