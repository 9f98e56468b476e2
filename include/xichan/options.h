// What a channel is made with, and what it counts.
#pragma once

#include <cstdint>
#include <string_view>

#include "xichan/flavor.h"

namespace xichan {

/// The capacity of a channel that takes any number of values.
inline constexpr std::uint64_t unbounded = UINT64_MAX;

/// What a channel is made with; the defaults are those of `xichan.channel()` in Python.
struct ChannelOptions {
  Flavor flavor = Flavor::mpmc;
  /// Values that it holds at the most: 1 to 2^24. mpmc takes 0 (a rendezvous) and `unbounded` too, relaxed `unbounded`.
  std::uint64_t capacity = 1024;
  /// Bound on the bytes of the blocks of what is queued; 0: none. Small values, and what is shared, cost nothing.
  std::uint64_t max_bytes = 0;
  /// By which the whole process finds it, while it lives: UTF-8; empty: none.
  std::string_view name = {};
};

/// Counters of a channel. Read one by one: exact only while nothing else runs.
struct ChannelStats {
  std::uint64_t depth;              ///< values queued
  std::uint64_t bytes;              ///< bytes of their blocks; counted only where `max_bytes` bounds them
  std::uint64_t sent;               ///< values ever accepted
  std::uint64_t received;           ///< values ever received
  std::uint64_t parks;              ///< how often a call went to sleep
  std::uint64_t wakeups;            ///< how often one was woken
  std::uint32_t senders;            ///< Senders open in the whole process, those in flight included
  std::uint32_t receivers;          ///< Receivers, likewise
  std::uint32_t waiting_senders;    ///< calls that wait to send
  std::uint32_t waiting_receivers;  ///< calls that wait to receive
};

}  // namespace xichan
