// Which endpoints a channel has. An endpoint holds a lease: its key in a key-value bucket, which it renews. The server
// removes a key that is not renewed in time. So the endpoints of a channel are counted without their help: their
// processes may have died.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "nats/calls.h"
#include "nats/heartbeat.h"
#include "nats/settings.h"

namespace xichan::nats::internal {

/// Makes a key-value bucket, unless it exists. `lasts`: how long a key lasts; 0: without end.
Status open_bucket(Calls& calls, const std::string& bucket, Time lasts, int replicas);

/// The leases of one channel. Thread safety: immutable.
class Leases {
 public:
  Leases(const Names& names, const Settings& settings);

  const Time lasts;
  const int replicas;
  const std::string bucket;
  const std::string keys;     // what the keys of all endpoints begin with
  const std::string senders;  // matches the keys of Senders

  /// `kind`: 's' for a Sender, 'r' for a Receiver.
  std::string key(char kind, const std::string& identity) const { return keys + "." + kind + "." + identity; }
  std::string count_subject() const { return "$JS.API.STREAM.INFO.KV_" + bucket; }
  std::string count_data() const { return "{\"subjects_filter\": " + quote(senders) + "}"; }
  std::string removal_subject() const { return "$JS.API.STREAM.PURGE.KV_" + bucket; }
  static std::string removal_data(const std::string& key) { return "{\"filter\": " + quote(key) + "}"; }

  /// Counts the keys that match.
  Status count(Calls& calls, const std::string& match, std::size_t& senders_found, std::size_t& receivers_found) const;
};

/// The lease of one endpoint, which the thread of the connection renews. Thread safety: one thread at a time.
class EndpointLease {
 public:
  /// Takes the lease.
  Status take(Calls& calls, const Leases& leases, char kind, const std::string& identity);
  /// Gives it up, and waits for the reply of the server.
  Status release(Calls& calls);
  /// Gives it up without waiting. If the server is away, the lease ends by itself.
  void drop();

 private:
  std::string key_, removal_;
  std::shared_ptr<Heartbeat> heartbeat_;
};

}  // namespace xichan::nats::internal
