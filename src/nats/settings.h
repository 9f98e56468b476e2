// The settings of a channel as JSON for the server. Those that JetStream does not know are in the description of the
// stream. The text must be the one that programs in Python write, because the server compares it.
#pragma once

#include <cstdint>
#include <string>

#include "nats/exchange.h"
#include "nats/json.h"
#include "nats/names.h"
#include "xichan/nats.h"

namespace xichan::nats::internal {

/// The settings of a channel.
struct Settings {
  ChannelOptions options;

  /// Returns `ok`, or fails with `invalid` for a setting out of range.
  Status check() const;
  /// Returns the settings of the stream that holds the dead letters of a channel.
  Settings for_dead_letters() const;

  int replicas() const noexcept { return options.storage == Storage::durable ? 3 : 1; }
  /// Returns what distinguishes the replicated buckets from the others: they are as durable as the channel.
  const char* bucket_suffix() const noexcept { return replicas() > 1 ? "_durable" : ""; }
  Time ack_wait() const noexcept { return static_cast<Time>(options.ack_wait.count() * 1e9); }
  Time sender_timeout() const noexcept { return static_cast<Time>(options.sender_timeout.count() * 1e9); }

  /// Returns the configuration of the stream.
  std::string stream(const Names& names) const { return stream(names, {}); }
  /// Returns that of a channel that has ended. `by`: "shutdown", or "senders".
  std::string sealed_stream(const Names& names, std::string_view by) const { return stream(names, by); }
  /// Returns the configuration of the consumer.
  std::string consumer(const Names& names) const;
  /// Returns the settings as JSON, with what has ended the channel unless that is empty.
  std::string description(std::string_view ended_by = {}) const;

  /// Returns the differences to other settings, as text; empty if there are none.
  std::string differences(const Settings& wanted) const;

 private:
  std::string stream(const Names& names, std::string_view ended_by) const;
};

/// Reads the settings that a stream was made with, from the server's information about it. Fails with `unavailable` if
/// another program, or another version, has made it.
Status find_settings(const Json& info, const Names& names, Settings& settings);

/// Returns true if a channel was shut down, rather than left by its last Sender.
bool is_shut_down(const Json& info) noexcept;
/// Returns true if the channel has ended.
inline bool is_sealed(const Json& info) noexcept { return info["config"]["sealed"].truth(); }

}  // namespace xichan::nats::internal
