#include "nats/leases.h"

namespace xichan::nats::internal {
namespace {

constexpr int stream_exists = 10058;  // the same bucket, configured by another version of the server
constexpr Time longest_window = 120'000 * milliseconds;

std::string bucket_of(const Settings& settings) {
  const auto lasts = static_cast<std::int64_t>(settings.options.sender_timeout.count() * 1000);
  return "xichan_leases_" + std::to_string(lasts) + settings.bucket_suffix();
}

}  // namespace

Status open_bucket(Calls& calls, const std::string& bucket, Time lasts, int replicas) {
  const std::string stream = "KV_" + bucket;
  const std::string config =
      "{\"name\":" + quote(stream) + ",\"subjects\":[" + quote("$KV." + bucket + ".>") +
      R"(],"max_msgs_per_subject":1,"discard":"new","storage":"file","num_replicas":)" + std::to_string(replicas) +
      R"(,"allow_rollup_hdrs":true,"allow_direct":true,"max_age":)" + std::to_string(lasts) +
      ",\"duplicate_window\":" + std::to_string(lasts == 0 ? longest_window : std::min(lasts, longest_window)) + "}";
  Json ignored;
  const Status status = calls.api("STREAM.CREATE." + stream, config, "the bucket " + bucket, ignored);
  return status == Status::unavailable && kept_error().code == stream_exists ? Status::ok : status;
}

Leases::Leases(const Names& names, const Settings& settings)
    : lasts(settings.sender_timeout()),
      replicas(settings.replicas()),
      bucket(bucket_of(settings)),
      keys("$KV." + bucket + "." + names.stream),
      senders(keys + ".s.>") {}

Status Leases::count(Calls& calls, const std::string& match, std::size_t& senders_found,
                     std::size_t& receivers_found) const {
  Json info;
  const std::string data = "{\"subjects_filter\": " + quote(match) + "}";
  const Status status = calls.api("STREAM.INFO.KV_" + bucket, data, "the leases of a channel", info);
  if (status != Status::ok) return status;
  senders_found = receivers_found = 0;
  for (const auto& [key, messages] : info["state"]["subjects"].entries()) {
    if (key.starts_with(keys + ".s.")) ++senders_found;
    if (key.starts_with(keys + ".r.")) ++receivers_found;
  }
  return Status::ok;
}

Status EndpointLease::take(Calls& calls, const Leases& leases, char kind, const std::string& identity) {
  const std::string what = "the lease of an endpoint";
  key_ = leases.key(kind, identity);
  removal_ = "STREAM.PURGE.KV_" + leases.bucket;
  Status status = open_bucket(calls, leases.bucket, leases.lasts, leases.replicas);
  std::string text;
  if (status == Status::ok) status = calls.request(key_, {}, {}, what, text);
  if (status != Status::ok) return status;
  if (Json reply; Json::parse(text, reply) && reply["error"]) return refused(what, reply["error"]);
  // What is published if the process ends without closing the endpoint.
  Heartbeat::Messages farewell{{leases.removal_subject(), Leases::removal_data(key_)}};
  heartbeat_ = std::make_shared<Heartbeat>(calls.connection, key_, leases.lasts / 4, std::move(farewell));
  calls.connection->add(heartbeat_);
  return Status::ok;
}

Status EndpointLease::release(Calls& calls) {
  if (heartbeat_ == nullptr) return Status::ok;
  heartbeat_->stop();
  Json ignored;
  return calls.api(removal_, Leases::removal_data(key_), "the lease of an endpoint", ignored);
}

void EndpointLease::drop() {
  if (heartbeat_ != nullptr) heartbeat_->close();
}

}  // namespace xichan::nats::internal
