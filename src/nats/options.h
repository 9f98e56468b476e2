// How to connect to a server: the options of libnats that xichan.nats.connect() passes on.
#pragma once

#include <nats/nats.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace xichan::nats::internal {

struct ConnectOptions {
  std::vector<std::string> servers;
  std::string name;
  std::string user, password, token;
  std::string credentials;  // a file with a JWT and a seed
  std::string seed;         // a file with the seed of `public_key`
  std::string public_key;
  bool tls = false;
  std::string tls_ca, tls_certificate, tls_key, tls_hostname, tls_ciphers;
  bool tls_verify = true;
  std::int64_t timeout_ms = 2000;         // of one attempt to connect
  std::int64_t ping_interval_ms = 5000;   // a server that misses two pings is lost
  std::int64_t reconnect_wait_ms = 50;    // the first; each further one is twice as long
  std::int64_t reconnect_most_ms = 2000;  // but no longer than this
  int most_reconnects = -1;               // attempts in a row; -1: no bound
};

struct DestroyOptions {
  void operator()(natsOptions* options) const noexcept { natsOptions_Destroy(options); }
};
using Options = std::unique_ptr<natsOptions, DestroyOptions>;

/// Makes libnats' options, for the servers of `from` and those of `discovered`. Null with the reason in `error`.
Options make_options(const ConnectOptions& from, const std::vector<std::string>& discovered, std::string& error);

/// Returns how long to wait before attempt `attempt` (from 1) to reconnect, in milliseconds: exponential back-off, of
/// which a random half is left out, so that the clients of a restarted server do not return at once.
std::int64_t reconnect_delay(const ConnectOptions& options, int attempt) noexcept;

/// Returns the text of a status, with the details of the last failed call of this thread.
std::string describe(natsStatus status);

}  // namespace xichan::nats::internal
