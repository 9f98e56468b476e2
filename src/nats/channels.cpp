#include "nats/channels.h"

#include "nats/channel_error.h"
#include "nats/leases.h"

namespace xichan::nats::internal {
namespace {

constexpr int stream_exists = 10058;  // with another configuration

// Removes a channel that has ended, so that it can be made anew. Fails if the channel is in use.
Status replace(Calls& calls, const Names& names, const Settings& settings) {
  Json info;
  Status status = calls.find_stream(names, info);
  if (status != Status::ok || !info) return status;
  Settings found;
  status = find_settings(info, names, found);
  if (status != Status::ok) return status;
  if (const std::string differences = found.differences(settings); !differences.empty()) {
    return fail(Status::invalid, names.title() + " exists with " + differences + ". Hub::remove() deletes it");
  }
  if (!is_sealed(info)) {
    return fail(Status::unavailable, names.title() + " exists with another configuration, which xichan did not make");
  }
  if (const auto left = info["state"]["messages"].integer(); left != 0) {
    return fail(Status::closed, names.title() + " was shut down and still holds " + std::to_string(left) +
                                    " values: receive them, or delete the channel");
  }
  status = remove(calls, names);
  return status == Status::not_found ? Status::ok : status;
}

Status has_ended(Calls& calls, const Names& names, bool& ended) {
  Json info;
  const Status status = calls.find_stream(names, info);
  ended = !info || is_sealed(info);
  return status;
}

}  // namespace

Status join(Calls& calls, const Names& names, Settings& settings) {
  Json info;
  const Status status = calls.find_stream(names, info);
  if (status != Status::ok) return status;
  if (info) return find_settings(info, names, settings);
  return fail(Status::not_found, "the server has no " + names.title() + "; Hub::channel() makes one");
}

Status create(Calls& calls, const Names& names, const Settings& settings) {
  const std::string what = names.title();
  Json made;
  for (;;) {
    Status status = calls.api("STREAM.CREATE." + names.stream, settings.stream(names), what, made);
    if (status == Status::ok) break;
    if (status == Status::unavailable && kept_error().code == stream_exists) status = replace(calls, names, settings);
    if (status != Status::ok) return status;
  }
  Json ignored;
  const Status status = calls.api("CONSUMER.DURABLE.CREATE." + names.stream + "." + consumer_name,
                                  settings.consumer(names), what, ignored);
  if (status != Status::ok || !made["did_create"].truth() || names.is_dead) return status;
  const Status forgotten = Registry(names, settings).forget_all(calls);
  return forgotten == Status::ok ? forget_error(calls, names, settings) : forgotten;
}

Status remove(Calls& calls, const Names& names) {
  Json ignored;
  const Status status = calls.api("STREAM.DELETE." + names.stream, {}, names.title(), ignored);
  return status == Status::unavailable && kept_error().code == stream_not_found ? Status::not_found : status;
}

Status seal(Calls& calls, const Names& names, const Settings& settings, std::string_view by) {
  bool ended;
  Status status = has_ended(calls, names, ended);
  if (status != Status::ok || ended) return status;
  Json ignored;
  status = calls.api("STREAM.UPDATE." + names.stream, settings.sealed_stream(names, by), names.title(), ignored);
  if (status != Status::unavailable) return status;
  const Error error = kept_error();
  if (has_ended(calls, names, ended) == Status::ok && ended) return Status::ok;  // by another endpoint meanwhile
  return fail(status, error.message, error.code);
}

}  // namespace xichan::nats::internal
