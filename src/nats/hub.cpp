#include "nats/hub.h"

#include <algorithm>
#include <limits>

#include "nats/threads.h"
#include "nats/urls.h"

namespace xichan::nats::internal {
namespace {

constexpr Time longest_close = 5'000 * milliseconds;

std::int64_t milliseconds_of(Seconds time) noexcept {
  return std::max<std::int64_t>(static_cast<std::int64_t>(time.count() * 1000), 1);
}

Status check_options(const nats::ConnectOptions& options) {
  const std::pair<const char*, Seconds> times[] = {{"timeout", options.timeout},
                                                   {"ping_interval", options.ping_interval},
                                                   {"reconnect_wait", options.reconnect_wait},
                                                   {"max_reconnect_wait", options.max_reconnect_wait}};
  for (const auto& [name, time] : times) {
    if (time.count() >= 0 && time.count() <= 1e6) continue;
    return fail(Status::invalid, std::string(name) + " must be from 0 to 1e6 seconds");
  }
  return Status::ok;
}

std::string joined_without_secrets(const std::vector<std::string>& urls) {
  std::string text;
  for (const std::string& url : urls) text += (text.empty() ? "" : ", ") + without_secrets(url);
  return text;
}

internal::ConnectOptions convert(const nats::ConnectOptions& options, std::vector<std::string> urls) {
  internal::ConnectOptions to;
  to.tls = options.tls || std::any_of(urls.begin(), urls.end(), has_tls);
  to.servers = std::move(urls);
  to.name = options.name;
  to.user = options.user;
  to.password = options.password;
  to.token = options.token;
  to.credentials = options.credentials;
  to.tls_ca = options.tls_ca;
  to.tls_certificate = options.tls_certificate;
  to.tls_key = options.tls_key;
  to.tls_hostname = options.tls_hostname;
  to.tls_ciphers = options.tls_ciphers;
  to.tls_verify = options.tls_verify;
  to.timeout_ms = milliseconds_of(options.timeout);
  to.ping_interval_ms = milliseconds_of(options.ping_interval);
  to.reconnect_wait_ms = milliseconds_of(options.reconnect_wait);
  to.reconnect_most_ms = milliseconds_of(options.max_reconnect_wait);
  constexpr std::int64_t most = std::numeric_limits<int>::max();
  to.most_reconnects = static_cast<int>(std::clamp<std::int64_t>(options.max_reconnects, -1, most));
  return to;
}

}  // namespace

Status HubCore::connect(std::string_view servers, const nats::ConnectOptions& options, std::shared_ptr<HubCore>& out) {
  std::vector<std::string> urls;
  Status status = parse_urls(servers, urls);
  if (status == Status::ok) status = check_options(options);
  if (status != Status::ok) return status;
  const std::string shown = joined_without_secrets(urls);
  Box events;
  status = Box::make(16, events);
  if (status != Status::ok) return status;
  internal::ConnectOptions converted = convert(options, std::move(urls));
  const bool is_secure = converted.tls;
  const std::shared_ptr<Connection> connection = Connection::open(std::move(converted), events.mailbox);
  if (connection == nullptr) return fail(Status::unavailable, "threads or descriptors are exhausted");
  Value event;  // (kind, text, number)
  status = events.receiver.recv(event);
  const ValueView view = event.view();
  if (status != Status::ok) return Status::no_memory;
  if (view[0].as_ascii() == "connected") {
    const auto most = static_cast<std::size_t>(view[2].as_integer());
    const auto timeout = static_cast<Time>(options.timeout.count() * 1e9);
    out = std::make_shared<HubCore>(connection, std::move(events), timeout, most > overhead ? most - overhead : 0);
    connection->on_exit([weak = std::weak_ptr(out)] {  // a static object would be closed too late
      if (const auto hub = weak.lock()) (void)guarded_status([&] { return hub->close(), Status::ok; });
    });
    return Status::ok;
  }
  std::string reason = view[1].utf8();
  if (reason.find("SSL") != reason.npos && !is_secure) {
    reason += "; the server requires TLS: set ConnectOptions::tls";
  }
  return fail(Status::unavailable, "cannot connect to " + shown + ": " + reason);
}

HubCore::HubCore(std::shared_ptr<Connection> connection, Box events, Time timeout, std::size_t largest)
    : calls(std::move(connection), timeout), max_value(largest), process_(getpid()), events_(std::move(events)) {}

Status HubCore::check() const {
  if (is_inherited() || closed_) return fail(Status::end_closed, "the hub is closed, or belongs to the parent process");
  return has_ended() ? calls.gone() : Status::ok;
}

void HubCore::add(const std::shared_ptr<HubMember>& endpoint) {
  const std::lock_guard lock(mutex_);
  std::erase_if(endpoints_, [](const auto& known) { return known.expired(); });
  endpoints_.push_back(endpoint);
}

std::vector<std::shared_ptr<HubMember>> HubCore::endpoints() {
  std::vector<std::shared_ptr<HubMember>> open;
  const std::lock_guard lock(mutex_);
  for (const auto& known : endpoints_) {
    if (auto endpoint = known.lock()) open.push_back(std::move(endpoint));
  }
  return open;
}

Status HubCore::stats(HubStats& out) {
  if (is_inherited()) return check();
  const Connection::State state = calls.connection->state();
  HubStats stats;
  stats.server = without_secrets(state.server);
  for (const std::string& server : state.servers) stats.servers.push_back(without_secrets(server));
  stats.connected = calls.connection->is_connected();
  stats.closed = closed_ || has_ended();
  stats.reconnects = std::max<std::uint64_t>(state.connections, 1) - 1;
  stats.unconfirmed = state.unconfirmed;
  stats.max_value = max_value;
  for (const auto& endpoint : endpoints()) {
    if (endpoint->is_closed()) continue;
    ++(endpoint->receives() ? stats.receivers : stats.senders);
    stats.held += endpoint->held();
  }
  out = std::move(stats);
  return Status::ok;
}

void HubCore::close() {
  const std::lock_guard lock(closing_);
  if (closed_) return;
  for (const auto& endpoint : endpoints()) endpoint->close_quietly();
  closed_ = true;
  calls.connection->close();
  const Time limit = after(now(), longest_close);
  Value event;
  while (events_.receiver.recv(event, left_until(limit)) == Status::ok) {
  }
  events_.receiver.close();
  Threads::join(*calls.connection);
}

}  // namespace xichan::nats::internal
