#include "nats/consumer.h"

#include <algorithm>
#include <cstdio>

#include "nats/connection.h"

namespace xichan::nats::internal {
namespace {

// A longer request is renewed at this interval. In a cluster, a request is lost with the server that leads the
// consumer, while the connection to another server stays up; and a new leader may leave a request waiting beside
// values.
constexpr Time longest_request = 5'000 * milliseconds;
// How long after its end a request whose status does not arrive is taken to be lost.
constexpr Time grace = 1000 * milliseconds;
// Between a request that was refused, or that no server served, and the next one.
constexpr Time pause = 200 * milliseconds;
// How long a Consumer that is closed waits for what the server has sent to it, and how often it looks.
constexpr Time longest_drain = 5'000 * milliseconds;
constexpr Time drain_interval = 10 * milliseconds;
// How many removed messages are remembered.
constexpr std::size_t most_removed = std::size_t{1} << 14;

}  // namespace

Consumer::Consumer(std::shared_ptr<Connection> connection, Settings settings, std::shared_ptr<Mailbox> inbox)
    : connection_(std::move(connection)), settings_(std::move(settings)), inbox_(std::move(inbox)) {}

// Calls of interpreters.

std::uint64_t Consumer::begin_wait(Time deadline) {
  std::uint64_t number;
  {
    const std::lock_guard lock(mutex_);
    number = next_number_++;
    waiters_.emplace(number, Waiter{deadline});
    send_request(now());
  }
  connection().write_output();
  return number;
}

void Consumer::end_wait(std::uint64_t waiter) {
  {
    const std::lock_guard lock(mutex_);
    waiters_.erase(waiter);
    if (waiters_.empty()) return;
    send_request(now());
  }
  connection().write_output();
}

std::uint64_t Consumer::probe(std::size_t count, std::shared_ptr<Mailbox> mailbox) {
  std::uint64_t number;
  {
    const std::lock_guard lock(mutex_);
    number = next_number_++;
    if (closed_) {
      mailbox->close();
      return number;
    }
    probes_.push_back({count, {.mailbox = std::move(mailbox), .id = number}});
    send_probe(now());
  }
  connection().write_output();
  return number;
}

void Consumer::cancel_probe(std::uint64_t probe) {
  const std::lock_guard lock(mutex_);
  for (Probe& known : probes_) {
    if (known.batch.id == probe) known.batch.mailbox.reset();
  }
}

Consumer::Accepted Consumer::accept(std::uint64_t number) {
  Accepted accepted;
  {
    const std::lock_guard lock(mutex_);
    const auto found = held_.find(number);
    if (found == held_.end()) return accepted;
    accepted.message = std::move(found->second.message);
    accepted.delivery = found->second.delivery;
    held_.erase(found);
  }
  return accepted;
}

void Consumer::acknowledge(const std::vector<std::string>& subjects, std::string_view verb,
                           const std::vector<std::uint64_t>& removed) {
  {
    const std::lock_guard lock(mutex_);
    for (const std::uint64_t sequence : removed) {
      if (removed_.insert(sequence).second) removed_order_.push_back(sequence);
    }
    while (removed_order_.size() > most_removed) {
      removed_.erase(removed_order_.front());
      removed_order_.pop_front();
    }
  }
  if (!removed.empty()) return connection().acknowledge(shared_from_this(), subjects, verb, settings_.acknowledgment);
  // Repeated, it might concern a later delivery. If it is lost, the time for the acknowledgment runs out instead.
  for (const std::string& subject : subjects) connection().publish(subject, verb);
  connection().write_output();
}

void Consumer::close() {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    closed_ = true;
    return_held(never);
    for (const Probe& probe : probes_) {
      if (probe.batch.mailbox != nullptr) probe.batch.mailbox->close();
    }
    probes_.clear();
    inbox_->close();
  }
  connection().write_output();
  connection().wake();
}

void Consumer::finish() {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  finished_ = true;
  inbox_->close();
}

bool Consumer::has_ended() const {
  const std::lock_guard lock(mutex_);
  return closed_ || finished_;
}

std::size_t Consumer::held() const {
  const std::lock_guard lock(mutex_);
  return held_.size();
}

// The thread of the connection.

bool Consumer::subscribe_all(Connection& connection) {
  subject_ = connection.new_inbox();
  return connection.subscribe(subject_ + ".w.*", waiting_) && connection.subscribe(subject_ + ".p.*", probing_);
}

void Consumer::unsubscribe() noexcept {
  natsSubscription_Destroy(std::exchange(waiting_, nullptr));
  natsSubscription_Destroy(std::exchange(probing_, nullptr));
}

void Consumer::read(Connection& connection) {
  if (waiting_ != nullptr) drain(connection, waiting_, request_);
  if (probing_ != nullptr) drain(connection, probing_, probe_);
  std::size_t freed;
  {
    const std::lock_guard lock(mutex_);
    freed = std::exchange(freed_, 0);
  }
  if (freed != 0) connection.publish(settings_.room, std::to_string(freed));
}

void Consumer::drain(Connection& connection, natsSubscription* subscription, Request& request) {
  std::vector<std::string> repeated;
  Message message;
  std::size_t unserved = 0;
  while (next_message(subscription, message, unserved)) {
    const Time time = now();
    const std::lock_guard lock(mutex_);
    if (const int status = status_of(message); status != 0 && reply_of(message).empty()) {
      if (last_number(subject_of(message)) != request.number) continue;
      request.number = 0;
      if (&request == &request_) {
        on_status(status, time);
      } else {
        finish_probe(time);
      }
    } else {
      keep(std::move(message), repeated);
      if (request.number == 0 || --request.left != 0) continue;
      request.number = 0;
      if (&request == &probe_) finish_probe(time);
    }
  }
  if (unserved != 0) {  // the servers of a cluster are electing a leader of the consumer
    const std::lock_guard lock(mutex_);
    request.number = 0;
    retry_at_ = after(now(), pause);
  }
  connection.acknowledge(nullptr, repeated, "+ACK", settings_.acknowledgment);
}

// Puts a message in the inbox.
void Consumer::keep(Message message, std::vector<std::string>& repeated) {
  Held held{std::move(message), {}, now()};
  if (!parse_delivery(reply_of(held.message), held.delivery)) return;
  if (removed_.contains(held.delivery.sequence)) {  // the acknowledgment was lost
    repeated.emplace_back(reply_of(held.message));
    return;
  }
  const std::uint64_t number = next_number_++;
  held_.emplace(number, std::move(held));
  if (closed_) {
    return_held(never);
  } else {
    inbox_->post(Value::of(static_cast<std::int64_t>(number)));
  }
}

// The request has ended without the messages that it asked for.
void Consumer::on_status(int status, Time time) {
  if (status != 404 && status != 408) retry_at_ = after(time, pause);
  for (auto& [number, waiter] : waiters_) {
    if (waiter.deadline <= time && !waiter.told) {
      waiter.told = true;
      inbox_->post(Value::of(0));
    }
  }
  send_request(time);
}

void Consumer::send_request(Time time) {
  if (!subscribed_ || closed_ || request_.number != 0 || time < retry_at_) return;
  std::size_t wanted = 0;
  Time earliest = after(time, longest_request);
  for (const auto& [number, waiter] : waiters_) {
    if (waiter.deadline <= time) continue;
    ++wanted;
    earliest = std::min(earliest, waiter.deadline);
  }
  if (wanted <= held_.size()) return;
  wanted -= held_.size();
  // One millisecond more, so that the time of the waiter is over when the status arrives.
  const Time lasts = earliest - time + milliseconds;
  char text[96];
  std::snprintf(text, sizeof text, R"({"batch":%zu,"expires":%lld})", wanted, static_cast<long long>(lasts));
  const std::uint64_t number = next_number_++;
  if (connection().publish(settings_.requests, text, subject_ + ".w." + std::to_string(number))) {
    request_ = {number, wanted, after(after(time, lasts), grace)};
  }
}

void Consumer::send_probe(Time time) {
  while (!probes_.empty() && probes_.front().batch.mailbox == nullptr) probes_.pop_front();
  if (!subscribed_ || closed_ || probe_.number != 0 || time < retry_at_ || probes_.empty()) return;
  const std::size_t count = probes_.front().count;
  char text[64];
  std::snprintf(text, sizeof text, R"({"batch":%zu,"no_wait":true})", count);
  const std::uint64_t number = next_number_++;
  if (connection().publish(settings_.requests, text, subject_ + ".p." + std::to_string(number))) {
    probe_ = {number, count, after(time, grace)};
  }
}

void Consumer::finish_probe(Time time) {
  probe_.number = 0;
  if (!probes_.empty()) {
    const Probe done = std::move(probes_.front());
    probes_.pop_front();
    if (done.batch.mailbox != nullptr) post_replies(done.batch);
  }
  send_probe(time);
}

// Once this is closed: ends the subscriptions. A message that the server has sent to an open request is received before
// that, and returned: other Receivers would get it only after the time for its acknowledgment. Returns false if this is
// not closed.
bool Consumer::leave(Connection& connection, Time time) {
  if (leaving_until_ != 0) read(connection);
  const std::lock_guard lock(mutex_);
  if (!closed_) return false;
  bool ends = !connection.is_connected() || (leaving_until_ != 0 && time >= leaving_until_);
  if (!ends && leaving_until_ == 0) {
    leaving_until_ = after(time, longest_drain);
    // The thread that libnats starts for this is not worth it without an open request.
    for (const auto& [subscription, request] : {std::pair{&waiting_, &request_}, std::pair{&probing_, &probe_}}) {
      if (*subscription != nullptr && request->number != 0 &&
          natsSubscription_DrainTimeout(*subscription, longest_drain / milliseconds) == NATS_OK) {
        continue;
      }
      natsSubscription_Destroy(std::exchange(*subscription, nullptr));
    }
  }
  ends = ends || !(natsSubscription_IsValid(waiting_) || natsSubscription_IsValid(probing_));
  if (ends) unsubscribe();
  gone_ = ends;
  look_at_ = after(time, drain_interval);
  return true;
}

// Returns the messages that have arrived before a time to the server.
void Consumer::return_held(Time before) {
  std::vector<std::string> subjects;
  for (auto at = held_.begin(); at != held_.end();) {
    if (at->second.since >= before) {
      ++at;
      continue;
    }
    subjects.emplace_back(reply_of(at->second.message));
    at = held_.erase(at);
  }
  for (const std::string& subject : subjects) connection().publish(subject, "-NAK");
}

void Consumer::on_acknowledged(std::size_t count) {
  const std::lock_guard lock(mutex_);
  freed_ += count;
}

void Consumer::on_reconnected(Connection&) {
  const std::lock_guard lock(mutex_);
  if (waiting_ == nullptr) subscribed_ = false;  // until on_time()
  request_.number = 0;                           // the server has forgotten them
  probe_.number = 0;
  send_request(now());
  send_probe(now());
}

void Consumer::on_time(Connection& connection, Time time) {
  if (inbox_->is_abandoned()) close();
  if (leave(connection, time)) return;
  if (waiting_ == nullptr && connection.is_connected()) {
    const bool done = subscribe_all(connection);
    const std::lock_guard lock(mutex_);
    subscribed_ = done;
  }
  const std::lock_guard lock(mutex_);
  if (settings_.hold < time) return_held(time - settings_.hold);
  if (request_.number != 0 && time >= request_.over) request_.number = 0;
  send_request(time);
  if (probe_.number != 0 && time >= probe_.over) probe_.number = 0;
  send_probe(time);
}

Time Consumer::next_time() const {
  const std::lock_guard lock(mutex_);
  Time next = never;
  if (closed_) return leaving_until_ == 0 ? 0 : look_at_;
  if (waiting_ == nullptr) return 0;
  if (!held_.empty()) next = std::min(next, after(held_.begin()->second.since, settings_.hold));
  if (request_.number != 0) next = std::min(next, request_.over);
  const bool waits = (request_.number == 0 && !waiters_.empty()) || (probe_.number == 0 && !probes_.empty());
  if (waits && retry_at_ > now()) next = std::min(next, retry_at_);
  if (probe_.number != 0) next = std::min(next, probe_.over);
  return next;
}

bool Consumer::is_finished() const {
  const std::lock_guard lock(mutex_);
  return gone_;
}

}  // namespace xichan::nats::internal
