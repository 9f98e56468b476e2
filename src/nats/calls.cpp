#include "nats/calls.h"

#include <cstdio>

namespace xichan::nats::internal {
namespace {

constexpr std::size_t most_free = 64;

std::string seconds(Time time) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", static_cast<double>(time) / 1e9);
  return text;
}

// Stores the replies of a message from a mailbox. Returns false if it concerns another batch.
bool read_replies(ValueView message, std::uint64_t batch, Replies& replies) {
  const bool is_tuple = message.kind() == ValueKind::tuple;
  if ((is_tuple ? message[0] : message).as_integer() != static_cast<std::int64_t>(batch)) return false;
  replies.clear();
  if (!is_tuple) return true;
  for (const ValueView reply : message[1]) {
    const auto data = reply[1].as_bytes();
    replies.emplace_back(static_cast<std::size_t>(reply[0].as_integer()),
                         std::string(reinterpret_cast<const char*>(data.data()), data.size()));
  }
  return true;
}

}  // namespace

Status Box::make(std::uint64_t capacity, Box& box) noexcept {
  Value receiver;
  const Status status = Mailbox::create(capacity, box.mailbox, receiver);
  return status == Status::ok ? xichan::Receiver::open(receiver.view(), box.receiver) : status;
}

Status SharedReceiver::take(xichan::Receiver& out) {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) return first_.clone(out);
  out = std::move(free_.back());
  free_.pop_back();
  return Status::ok;
}

void SharedReceiver::give(xichan::Receiver&& receiver) {
  const std::lock_guard lock(mutex_);
  free_.push_back(std::move(receiver));
}

Status refused(const std::string& what, const Json& error) {
  const std::string& description = error["description"].text();
  const Json& code = error["err_code"] ? error["err_code"] : error["code"];
  return fail(Status::unavailable, what + ": " + (description.empty() ? "the server reported an error" : description),
              static_cast<int>(code.integer()));
}

Status Calls::gone() const { return fail(Status::unavailable, "the connection is closed"); }

Status Calls::take_box(Box& box) {
  {
    const std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      box = std::move(free_.back());
      free_.pop_back();
      return Status::ok;
    }
  }
  return Box::make(unbounded, box);
}

void Calls::give_box(Box&& box) {
  const std::lock_guard lock(mutex_);
  if (free_.size() < most_free) free_.push_back(std::move(box));
}

Status Calls::wait(Box& box, std::uint64_t batch, Time deadline, Replies& replies) {
  Value message;
  do {
    const Status status = box.receiver.recv(message, left_until(deadline));
    if (status == Status::timeout) return fail(status, "timed out");
    if (status != Status::ok) return connection->has_ended() ? gone() : Status::no_memory;
  } while (!read_replies(message.view(), batch, replies));
  give_box(std::move(box));
  return Status::ok;
}

Status Calls::request(const std::string& subject, std::string_view data, const Headers& headers,
                      const std::string& what, std::string& reply) {
  Box box;
  Status status = take_box(box);
  if (status != Status::ok) return status;
  const std::uint64_t batch = connection->request(box.mailbox, subject, data, headers);
  Replies replies;
  status = wait(box, batch, after(now(), timeout), replies);
  if (status != Status::ok) connection->cancel(batch);
  if (status == Status::timeout) {
    return fail(Status::unavailable, what + ": no reply from the server within " + seconds(timeout) + " seconds");
  }
  if (status != Status::ok) return status;
  is_silent = false;
  reply = std::move(replies.front().second);
  return status;
}

Status Calls::api(const std::string& verb, std::string_view data, const std::string& what, Json& reply) {
  std::string text;
  const Status status = request("$JS.API." + verb, data, {}, what, text);
  if (status == Status::unavailable && connection->is_connected()) {
    return fail(status, kept_error().message + "; is JetStream enabled on the server?");
  }
  if (status != Status::ok) return status;
  if (!Json::parse(text, reply)) return fail(Status::unavailable, what + ": the server replied with what is not JSON");
  return reply["error"] ? refused(what, reply["error"]) : Status::ok;
}

Status Calls::find_stream(const Names& names, Json& info) {
  const Status status = api("STREAM.INFO." + names.stream, {}, names.title(), info);
  if (status != Status::unavailable || kept_error().code != stream_not_found) return status;
  info = Json();
  return Status::ok;
}

}  // namespace xichan::nats::internal
