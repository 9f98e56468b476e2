#include "nats/options.h"

#include <algorithm>
#include <random>

namespace xichan::nats::internal {
namespace {

const char* or_null(const std::string& text) noexcept { return text.empty() ? nullptr : text.c_str(); }

natsStatus set_credentials(natsOptions* options, const ConnectOptions& from) noexcept {
  natsStatus status = NATS_OK;
  if (!from.user.empty()) status = natsOptions_SetUserInfo(options, from.user.c_str(), from.password.c_str());
  if (status == NATS_OK && !from.token.empty()) status = natsOptions_SetToken(options, from.token.c_str());
  if (status == NATS_OK && !from.credentials.empty()) {
    status = natsOptions_SetUserCredentialsFromFiles(options, from.credentials.c_str(), nullptr);
  }
  if (status == NATS_OK && !from.seed.empty()) {
    status = natsOptions_SetNKeyFromSeed(options, from.public_key.c_str(), from.seed.c_str());
  }
  return status;
}

natsStatus set_tls(natsOptions* options, const ConnectOptions& from) noexcept {
  if (!from.tls) {
    // libnats uses TLS unasked if the server requires it. Reads and writes of the connection would then overlap, which
    // TLS does not permit: so have the handshake fail, because no certificate has this name.
    (void)natsOptions_SetExpectedHostname(options, "tls=True");
    return NATS_OK;
  }
  natsStatus status = natsOptions_SetSecure(options, true);
  if (status == NATS_OK && !from.tls_ca.empty()) {
    status = natsOptions_LoadCATrustedCertificates(options, from.tls_ca.c_str());
  }
  if (status == NATS_OK && !from.tls_certificate.empty()) {
    status = natsOptions_LoadCertificatesChain(options, from.tls_certificate.c_str(), or_null(from.tls_key));
  }
  if (status == NATS_OK && !from.tls_hostname.empty()) {
    status = natsOptions_SetExpectedHostname(options, from.tls_hostname.c_str());
  }
  if (status == NATS_OK && !from.tls_ciphers.empty()) {
    status = natsOptions_SetCiphers(options, from.tls_ciphers.c_str());
  }
  if (status == NATS_OK && !from.tls_verify) status = natsOptions_SkipServerVerification(options, true);
  return status;
}

// Gives the URL of a discovered server the user and password of the first URL.
std::string with_user(const std::string& server, const std::string& first) {
  const std::size_t begin = first.find("://"), end = first.find('@'), at = server.find("://");
  if (begin == first.npos || end == first.npos || at == server.npos) return server;
  return server.substr(0, at + 3) + first.substr(begin + 3, end - begin - 2) + server.substr(at + 3);
}

natsStatus set_all(natsOptions* options, const ConnectOptions& from, const std::vector<std::string>& discovered) {
  std::vector<std::string> urls = from.servers;
  for (const std::string& server : discovered) urls.push_back(with_user(server, from.servers.front()));
  std::vector<const char*> servers;
  for (const std::string& url : urls) servers.push_back(url.c_str());
  natsStatus status = natsOptions_SetServers(options, servers.data(), static_cast<int>(servers.size()));
  if (status == NATS_OK && !from.name.empty()) status = natsOptions_SetName(options, from.name.c_str());
  if (status == NATS_OK) status = set_credentials(options, from);
  if (status == NATS_OK) status = set_tls(options, from);
  if (status == NATS_OK) status = natsOptions_SetTimeout(options, from.timeout_ms);
  if (status == NATS_OK) status = natsOptions_SetPingInterval(options, from.ping_interval_ms);
  if (status == NATS_OK) status = natsOptions_SetMaxPingsOut(options, 2);
  if (status == NATS_OK) status = natsOptions_SetAllowReconnect(options, false);
  // The event loop writes; libnats must not wait for its own flusher thread, which does not exist then.
  if (status == NATS_OK) status = natsOptions_SetSendAsap(options, true);
  return status;
}

}  // namespace

Options make_options(const ConnectOptions& from, const std::vector<std::string>& discovered, std::string& error) {
  natsOptions* made = nullptr;
  natsStatus status = natsOptions_Create(&made);
  Options options(made);
  if (status == NATS_OK) status = set_all(made, from, discovered);
  if (status == NATS_OK) return options;
  error = describe(status);
  return nullptr;
}

std::int64_t reconnect_delay(const ConnectOptions& options, int attempt) noexcept {
  const int doublings = std::clamp(attempt - 1, 0, 20);
  const std::int64_t longest = std::min(options.reconnect_wait_ms << doublings, options.reconnect_most_ms);
  thread_local std::minstd_rand random(std::random_device{}());
  return longest / 2 + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(longest / 2 + 1));
}

std::string describe(natsStatus status) {
  const std::string text = natsStatus_GetText(status);
  const char* const last = nats_GetLastError(nullptr);
  if (last == nullptr) return text;
  std::string_view detail = last;
  if (detail.starts_with('(')) detail.remove_prefix(std::min(detail.find("): ") + 3, detail.size()));  // file and line
  return detail.empty() || detail == text ? text : text + ": " + std::string(detail);
}

}  // namespace xichan::nats::internal
