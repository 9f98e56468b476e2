#include "nats/stats.h"

#include "nats/leases.h"

namespace xichan::nats::internal {
namespace {

// Returns true if a request has failed because its stream or consumer does not exist.
bool is_missing(Status status) noexcept {
  const int code = kept_error().code;
  return status == Status::unavailable && (code == stream_not_found || code == consumer_not_found);
}

// Asks for what may not exist; it is null then.
Status optional(Calls& calls, const std::string& verb, const std::string& what, Json& out) {
  const Status status = calls.api(verb, {}, what, out);
  if (!is_missing(status)) return status;
  out = Json();
  return Status::ok;
}

std::uint64_t count(const Json& json) noexcept { return static_cast<std::uint64_t>(json.integer()); }

}  // namespace

Status read_stats(Calls& calls, const Names& names, Stats& out) {
  const std::string what = names.title();
  Json info, consumer, leased, dead;
  Settings settings;
  Status status = calls.api("STREAM.INFO." + names.stream, {}, what, info);
  if (status == Status::ok) status = find_settings(info, names, settings);
  if (status == Status::ok) {
    status = optional(calls, "CONSUMER.INFO." + names.stream + "." + consumer_name, what, consumer);
  }
  if (status != Status::ok) return status;
  const Leases leases(names, settings);
  std::size_t senders = 0, receivers = 0;
  status = leases.count(calls, leases.keys + ".>", senders, receivers);
  if (is_missing(status)) status = Status::ok;
  if (status == Status::ok) {
    status = optional(calls, "STREAM.INFO." + Names(names.channel, true).stream, what, dead);
  }
  if (status != Status::ok) return status;
  const Json& state = info["state"];
  Stats stats;
  stats.depth = count(state["messages"]);
  stats.bytes = count(state["bytes"]);
  stats.sent = count(state["last_seq"]);
  stats.received = stats.sent - stats.depth;
  stats.unacknowledged = count(consumer["num_ack_pending"]);
  stats.redelivered = count(consumer["num_redelivered"]);
  stats.waiting_receivers = count(consumer["num_waiting"]);
  stats.senders = senders;
  stats.receivers = receivers;
  stats.dead_letters = count(dead["state"]["messages"]);
  stats.capacity = settings.options.capacity;
  stats.storage = settings.options.storage;
  stats.closed = is_sealed(info);
  out = stats;
  return Status::ok;
}

}  // namespace xichan::nats::internal
