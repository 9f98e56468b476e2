#include "nats/channel_error.h"

#include "nats/leases.h"

namespace xichan::nats::internal {
namespace {

constexpr int wrong_sequence = 10071;  // the key exists
constexpr int message_not_found = 10037;
// What stands for the name of a type if the error is not an exception of Python.
constexpr std::string_view cpp_error = "C++ error";

std::string bucket_of(const Settings& settings) { return std::string("xichan_errors") + settings.bucket_suffix(); }

std::string key_of(const Names& names, const Settings& settings) {
  return "$KV." + bucket_of(settings) + "." + names.stream;
}

std::string bytes_of(const Dump& dump) {
  std::string data(dump.size(), '\0');
  dump.write(reinterpret_cast<std::byte*>(data.data()));
  return data;
}

bool is_exception(ValueView error) noexcept {
  if (error.kind() != ValueKind::tuple || error.elements() < 3) return false;
  for (std::size_t i = 0; i < 3; ++i) {
    if (error[i].kind() != ValueKind::text) return false;
  }
  return true;
}

// Makes what Python records: the name of the type, the message, the traceback, and a dump of the error or None.
Status describe_error(const Value& error, Dump& out) {
  const ValueView view = error.view();
  Dump dump;
  Status status = error.dump(dump);
  if (status == Status::invalid) return fail(status, "an error cannot contain endpoints, queues or shared objects");
  if (status != Status::ok) return status;
  const std::string data = bytes_of(dump);
  Value record;
  if (is_exception(view)) {
    status = Value::pack(record, view[0], view[1], view[2], Value());
  } else {
    const std::string text = view.get_text().value_or("");
    status = Value::pack(record, cpp_error, text, "", std::as_bytes(std::span(data)));
  }
  return status == Status::ok ? record.dump(out) : status;
}

// The error that describe_error() or Python has described: the value of a C++ program, else the tuple.
Status rebuild_error(std::string_view data, Value& out) {
  Value record;
  Status status = Value::load(std::as_bytes(std::span(data)), record);
  if (status != Status::ok) return status;
  const ValueView view = record.view();
  if (view[0].as_ascii() == cpp_error && view[3].kind() == ValueKind::bytes) {
    status = Value::load(view[3].as_bytes(), out);
    if (status != Status::invalid) return status;
  }
  out = std::move(record);
  return Status::ok;
}

}  // namespace

Status record_error(Calls& calls, const Names& names, const Settings& settings, const Value& error) {
  const std::string what = "the error of " + names.title();
  Dump dump;
  Status status = describe_error(error, dump);
  if (status == Status::ok) status = open_bucket(calls, bucket_of(settings), 0, settings.replicas());
  std::string text;
  const Headers unless_exists{{"Nats-Expected-Last-Subject-Sequence", "0"}};
  if (status == Status::ok) {
    status = calls.request(key_of(names, settings), bytes_of(dump), unless_exists, what, text);
  }
  if (status != Status::ok) return status;
  Json reply;
  if (!Json::parse(text, reply) || !reply["error"]) return Status::ok;
  return reply["error"]["err_code"].integer() == wrong_sequence ? Status::ok : refused(what, reply["error"]);
}

Status forget_error(Calls& calls, const Names& names, const Settings& settings) {
  Json ignored;
  const Status status =
      calls.api("STREAM.PURGE.KV_" + bucket_of(settings), "{\"filter\": " + quote(key_of(names, settings)) + "}",
                "the error of " + names.title(), ignored);
  return status == Status::unavailable && kept_error().code == stream_not_found ? Status::ok : status;
}

Status closing_status(Calls& calls, const Names& names, const Settings& settings, const std::string& message,
                      Value& error) {
  Json found;
  Status status =
      calls.api("STREAM.MSG.GET.KV_" + bucket_of(settings),
                "{\"last_by_subj\": " + quote(key_of(names, settings)) + "}", "the error of " + names.title(), found);
  const int code = kept_error().code;
  if (status == Status::unavailable && (code == message_not_found || code == stream_not_found)) {
    return fail(Status::closed, message);
  }
  if (status != Status::ok) return status;
  std::string data;
  if (!decode_base64(found["message"]["data"].text(), data)) data.clear();
  status = rebuild_error(data, error);
  if (status == Status::no_memory || status == Status::arena_full) return status;
  const ValueView view = error.view();
  std::string text = view.get_text().value_or("");
  if (is_exception(view)) text = view[0].utf8() + ": " + view[1].utf8();
  return fail(Status::failed, "the channel failed" + (text.empty() ? "" : ": " + text));
}

}  // namespace xichan::nats::internal
