// The names of what a channel consists of on the server. Programs in Python use the same: docs/reference/nats.md.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "xichan/status.h"

namespace xichan::nats::internal {

/// The one consumer of a stream, which all Receivers share.
inline constexpr const char* consumer_name = "receivers";
/// Bytes that are kept free in a message for its headers; those of dead letters are the longest.
inline constexpr std::size_t overhead = 512;

/// What belongs to a channel, or to its dead letters.
struct Names {
  std::string channel;
  bool is_dead = false;
  std::string stream;
  std::string values;  // the subject that values are sent to
  std::string room;    // the subject that tells senders of free space

  Names() = default;
  Names(std::string_view name, bool dead);

  /// Returns the subject of the server's advisories about the stream.
  std::string changes() const { return "$JS.EVENT.ADVISORY.STREAM.*." + stream; }
  /// Returns the subject of requests for values.
  std::string requests() const { return "$JS.API.CONSUMER.MSG.NEXT." + stream + "." + consumer_name; }
  /// Returns how messages name the channel.
  std::string title() const { return "channel '" + channel + "'"; }
};

/// Returns `ok`, or fails with `invalid` for what cannot be the name of a channel.
Status check_name(std::string_view name);

/// Returns 16 random hexadecimal digits.
std::string random_identity();

}  // namespace xichan::nats::internal
