#include "nats/end_watch.h"

#include <algorithm>
#include <charconv>

#include "nats/connection.h"
#include "nats/consumer.h"

namespace xichan::nats::internal {
namespace {

// A message of the server may be lost when the connection breaks, or sent by a Receiver that has died before it could.
constexpr Time look_interval = 5000 * milliseconds;
constexpr Time look_interval_if_sealed = 1000 * milliseconds;

// Reads the JSON of the API as far as it is needed: names are unique, and text within strings has escaped quotes.
bool has(std::string_view json, std::string_view part) noexcept { return json.find(part) != json.npos; }

std::uint64_t number_after(std::string_view json, std::string_view name) noexcept {
  std::uint64_t number = 0;
  const std::size_t at = json.find(name);
  if (at != json.npos) std::from_chars(json.data() + at + name.size(), json.data() + json.size(), number);
  return number;
}

bool is_not_found(std::string_view json) noexcept { return has(json, "\"err_code\":10059"); }

bool drain(natsSubscription* subscription) noexcept {
  bool any = false;
  natsMsg* received = nullptr;
  while (subscription != nullptr && natsSubscription_NextMsg(&received, subscription, 0) == NATS_OK) {
    natsMsg_Destroy(received);
    any = true;
  }
  return any;
}

}  // namespace

EndWatch::EndWatch(std::shared_ptr<Consumer> consumer, Settings settings)
    : consumer_(consumer), settings_(std::move(settings)) {}

void EndWatch::ask(Connection& connection, const std::string& subject, const std::string& data, const char* kind) {
  connection.publish(subject, data, inbox_ + kind);
}

void EndWatch::read(Connection& connection) {
  natsMsg* received = nullptr;
  while (replies_ != nullptr && natsSubscription_NextMsg(&received, replies_, 0) == NATS_OK) {
    const Message message(received);
    const std::string_view kind = subject_of(message);
    if (kind.ends_with(".stream")) on_stream(data_of(message));
    if (kind.ends_with(".leases")) on_leases(connection, data_of(message));
  }
  const bool changed = drain(changes_), freed = drain(room_);
  if (changed || (freed && sealed_)) ask(connection, settings_.stream, {}, ".stream");
}

void EndWatch::on_stream(std::string_view reply) {
  if (!sealed_ && has(reply, "\"sealed\":true")) {
    sealed_ = true;
    const std::lock_guard lock(mutex_);
    next_ = 0;  // to subscribe
  }
  const bool empty = number_after(reply, "\"state\":{\"messages\":") == 0 && has(reply, "\"state\":{\"messages\":");
  if (!is_not_found(reply) && !(sealed_ && empty)) return;
  if (const auto consumer = consumer_.lock()) consumer->finish();
  close();
}

void EndWatch::on_leases(Connection& connection, std::string_view reply) {
  if (is_error(reply)) return;
  const Time time = now();
  // Senders renew their leases at this interval too, a quarter of a lease. While no server of a cluster replied, they
  // could not: if that lasted two intervals or more, their leases may have expired.
  if (time > after(replied_, 2 * settings_.interval)) connected_since_ = time;
  replied_ = time;
  if (sealed_) return;
  if (has(reply, "\"subjects\":{\"$KV.") || time < after(connected_since_, settings_.lease)) {
    looks_ = 0;
    return;
  }
  if (++looks_ < 2) return;                                         // a Sender renews its lease before the next look
  ask(connection, settings_.seal, settings_.seal_data, ".sealed");  // an advisory tells of the result
}

void EndWatch::on_reconnected(Connection&) {
  connected_since_ = now();
  stream_at_ = 0;
  const std::lock_guard lock(mutex_);
  next_ = 0;
}

void EndWatch::on_time(Connection& connection, Time time) {
  const auto consumer = consumer_.lock();
  if (consumer == nullptr || consumer->is_finished()) close();
  if (is_finished()) {
    unsubscribe();
    return;
  }
  if (!connection.is_connected()) {
    const std::lock_guard lock(mutex_);
    next_ = after(time, look_interval);  // on_reconnected() is earlier
    return;
  }
  if (replies_ == nullptr) {
    inbox_ = connection.new_inbox();
    connected_since_ = time;
    if (!connection.subscribe(inbox_ + ".*", replies_) || !connection.subscribe(settings_.changes, changes_)) return;
    leases_at_ = after(time, settings_.interval);
  }
  if (sealed_ && room_ == nullptr) {
    connection.subscribe(settings_.room, room_);
    stream_at_ = 0;  // after the subscription
  }
  if (time >= stream_at_) {
    ask(connection, settings_.stream, {}, ".stream");
    stream_at_ = after(time, sealed_ ? look_interval_if_sealed : look_interval);
  }
  if (!settings_.leases.empty() && time >= leases_at_) {
    ask(connection, settings_.leases, settings_.leases_data, ".leases");
    leases_at_ = after(time, settings_.interval);
  }
  const std::lock_guard lock(mutex_);
  next_ = settings_.leases.empty() ? stream_at_ : std::min(stream_at_, leases_at_);
}

Time EndWatch::next_time() const {
  const std::lock_guard lock(mutex_);
  return ended_ ? 0 : next_;
}

bool EndWatch::is_finished() const {
  const std::lock_guard lock(mutex_);
  return ended_;
}

void EndWatch::close() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
}

void EndWatch::unsubscribe() noexcept {
  for (natsSubscription** subscription : {&replies_, &changes_, &room_}) {
    natsSubscription_Destroy(std::exchange(*subscription, nullptr));
  }
}

}  // namespace xichan::nats::internal
