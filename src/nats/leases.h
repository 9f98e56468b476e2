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

/// Which Senders of a channel were opened and not closed, whether or not their leases have expired: each has a key,
/// which does not expire. While no server replied, no Sender could renew its lease: afterwards a missing lease does not
/// show that its Sender is gone. So a Sender that closes ends the channel only if no other Sender is registered. A
/// Sender whose process has died stays registered: then Receivers end the channel, once all Senders have had the time
/// to renew their leases. Programs in Python do the same. Thread safety: immutable.
class Registry {
 public:
  Registry(const Names& names, const Settings& settings);

  Status enter(Calls& calls, const std::string& identity) const;
  Status leave(Calls& calls, const std::string& identity) const { return remove(calls, keys_ + "." + identity); }
  /// Removes the registrations of an earlier channel of this name.
  Status forget_all(Calls& calls) const { return remove(calls, keys_ + ".>"); }
  Status is_empty(Calls& calls, bool& empty) const;
  /// Returns the subject and the content of the request that removes a registration.
  std::pair<std::string, std::string> removal(const std::string& identity) const {
    return {"$JS.API.STREAM.PURGE.KV_" + bucket_, Leases::removal_data(keys_ + "." + identity)};
  }

 private:
  Status remove(Calls& calls, const std::string& key) const;

  const int replicas_;
  const std::string bucket_, keys_;
};

/// The lease of one endpoint, which the thread of the connection renews. Thread safety: one thread at a time.
class EndpointLease {
 public:
  /// Takes the lease. `farewell`: what is published besides if the process ends without closing the endpoint.
  Status take(Calls& calls, const Leases& leases, char kind, const std::string& identity,
              Heartbeat::Messages farewell = {});
  /// Gives it up, and waits for the reply of the server.
  Status release(Calls& calls);
  /// Gives it up without waiting. If the server is away, the lease ends by itself.
  void drop();

 private:
  std::string key_, removal_;
  std::shared_ptr<Heartbeat> heartbeat_;
};

}  // namespace xichan::nats::internal
