#include "nats/leases.h"

namespace xichan::nats::internal {
namespace {

constexpr int stream_exists = 10058;  // the same bucket, configured by another version of the server
constexpr Time longest_window = 120'000 * milliseconds;

std::string bucket_of(const Settings& settings) {
  const auto lasts = static_cast<std::int64_t>(settings.options.sender_timeout.count() * 1000);
  return "xichan_leases_" + std::to_string(lasts) + settings.bucket_suffix();
}

// Writes a key without a value.
Status put(Calls& calls, const std::string& key, const std::string& what) {
  std::string text;
  const Status status = calls.request(key, {}, {}, what, text);
  if (status != Status::ok) return status;
  Json reply;
  return Json::parse(text, reply) && reply["error"] ? refused(what, reply["error"]) : Status::ok;
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

Registry::Registry(const Names& names, const Settings& settings)
    : replicas_(settings.replicas()),
      bucket_(std::string("xichan_senders") + settings.bucket_suffix()),
      keys_("$KV." + bucket_ + "." + names.stream) {}

Status Registry::enter(Calls& calls, const std::string& identity) const {
  const Status status = open_bucket(calls, bucket_, 0, replicas_);
  return status == Status::ok ? put(calls, keys_ + "." + identity, "the registration of a Sender") : status;
}

Status Registry::is_empty(Calls& calls, bool& empty) const {
  Json info;
  const std::string data = "{\"subjects_filter\": " + quote(keys_ + ".>") + "}";
  const Status status = calls.api("STREAM.INFO.KV_" + bucket_, data, "the Senders of a channel", info);
  empty = info["state"]["subjects"].entries().empty();
  return status;
}

Status Registry::remove(Calls& calls, const std::string& key) const {
  Json ignored;
  const std::string what = "the registration of a Sender";
  const Status status = calls.api("STREAM.PURGE.KV_" + bucket_, Leases::removal_data(key), what, ignored);
  return status == Status::unavailable && kept_error().code == stream_not_found ? Status::ok : status;
}

Status EndpointLease::take(Calls& calls, const Leases& leases, char kind, const std::string& identity,
                           Heartbeat::Messages farewell) {
  key_ = leases.key(kind, identity);
  removal_ = "STREAM.PURGE.KV_" + leases.bucket;
  Status status = open_bucket(calls, leases.bucket, leases.lasts, leases.replicas);
  if (status == Status::ok) status = put(calls, key_, "the lease of an endpoint");
  if (status != Status::ok) return status;
  farewell.insert(farewell.begin(), {leases.removal_subject(), Leases::removal_data(key_)});
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
