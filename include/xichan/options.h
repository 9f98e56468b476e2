// The options of a channel, and its counters.
#pragma once

#include <cstdint>
#include <string_view>

#include "xichan/flavor.h"

namespace xichan {

/// What a send does while the channel is full. A channel that drops values never blocks its senders.
enum class Overflow : std::uint8_t {
  block,        ///< blocks until there is room
  drop_oldest,  ///< drops the oldest queued values
  drop_newest,  ///< drops the value to send
};

/// The options of a channel. The defaults are those of `xichan.channel()` in Python.
struct ChannelOptions {
  Flavor flavor = Flavor::mpmc;
  /// How many values the channel holds at most: 1 to 2^24. mpmc also takes 0 (a rendezvous) and `unbounded`, relaxed
  /// also `unbounded`.
  std::uint64_t capacity = 1024;
  /// Bound on the bytes in the blocks of queued values; 0 for none. Small and shared values cost nothing. A rendezvous
  /// queues nothing: there it bounds each value.
  std::uint64_t max_bytes = 0;
  /// Name under which the whole process finds the channel while it lives, in UTF-8; empty for none.
  std::string_view name = {};
  /// What a send does while the channel is full. A rendezvous does not support `drop_oldest`.
  Overflow overflow = Overflow::block;
  /// Senders in Python pickle what is not shareable. Senders in C++ ignore it.
  bool pickles = false;
};

/// Counters of a channel. They are read one by one, so they are consistent only while no other thread uses the channel.
struct ChannelStats {
  std::uint64_t depth;              ///< queued values
  std::uint64_t bytes;              ///< bytes in their blocks; counted only if `max_bytes` bounds them
  std::uint64_t sent;               ///< values ever accepted, including those dropped
  std::uint64_t received;           ///< values ever received
  std::uint64_t parks;              ///< how often a call blocked in the kernel
  std::uint64_t wakeups;            ///< how often a blocked call was woken
  std::uint32_t senders;            ///< open Senders in the whole process, including those in flight; at most 2^32 - 1
  std::uint32_t receivers;          ///< open Receivers in the whole process, including those in flight; likewise
  std::uint32_t waiting_senders;    ///< calls blocked in a send
  std::uint32_t waiting_receivers;  ///< calls blocked in a receive
  std::uint64_t dropped;            ///< values dropped because the channel was full, see Overflow
  std::uint64_t pickled;            ///< values that Senders in Python pickled, see ChannelOptions::pickles
};

}  // namespace xichan
