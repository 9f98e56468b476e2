#include "nats/endpoint.h"

#include <algorithm>

#include "nats/channel_error.h"
#include "nats/channels.h"
#include "nats/stats.h"

namespace xichan::nats::internal {
namespace {

// How often a call that waits for the end of a channel looks at it without being told.
constexpr Time look_interval = 5'000 * milliseconds;

}  // namespace

EndpointCore::EndpointCore(std::shared_ptr<HubCore> hub, const Names& names, const Settings& settings)
    : hub_(std::move(hub)), names_(names), settings_(settings), identity_(random_identity()) {}

Value EndpointCore::error() const {
  const std::lock_guard lock(mutex_);
  return error_.clone();
}

Status EndpointCore::check() const {
  const Status status = hub_->check();
  if (status != Status::ok || !closed_) return status;
  return fail(Status::end_closed, "this endpoint is closed");
}

Status EndpointCore::look_closed(bool& closed) {
  closed = closed_ || check() != Status::ok;
  if (closed) return Status::ok;
  Json info;
  const Status status = calls().find_stream(names_, info);
  if (status == Status::ok) closed = !info || is_finished(info);
  return status;
}

Status EndpointCore::stats(Stats& out) {
  const Status status = check();
  return status == Status::ok ? read_stats(calls(), names_, out) : status;
}

Status EndpointCore::shutdown(bool immediate, const Value* error) {
  Status status = check();
  if (status == Status::ok && error != nullptr) status = record_error(calls(), names_, settings_, *error);
  if (status != Status::ok) return status;
  if (!immediate) return seal(calls(), names_, settings_, "shutdown");
  status = remove(calls(), names_);
  return status == Status::not_found ? Status::ok : status;
}

Status EndpointCore::wait_closed(Time deadline) {
  Status status = check();
  if (status != Status::ok) return status;
  std::shared_ptr<Tokens> tokens;
  status = make_room(names_.changes(), names_.changes(), look_interval, tokens);
  if (status != Status::ok) return status;
  TokenWait wait(std::move(tokens));
  status = wait.begin();
  while (status == Status::ok) {
    status = wait_token(wait, deadline);
    if (status == Status::timeout) return fail(status, "timed out: the " + names_.title() + " is open");
    if (status != Status::ok) return status;
    Json info;
    status = calls().find_stream(names_, info);
    if (status == Status::ok && (!info || is_sealed(info))) return status;
  }
  return status;
}

Status EndpointCore::closing(const std::string& message) {
  Status status = check();
  if (status != Status::ok) return status;
  Value error;
  status = closing_status(calls(), names_, settings_, message, error);
  if (status != Status::failed) return status;
  const std::lock_guard lock(mutex_);
  error_ = std::move(error);
  return status;
}

void EndpointCore::mark_closed() {
  closed_ = true;
  const std::lock_guard lock(mutex_);
  for (const auto& known : rooms_) {
    if (const auto tokens = known.lock()) tokens->room->close();
  }
}

// If the server is away, it removes the lease itself when its time has passed.
void EndpointCore::leave() {
  if (!calls().connection->is_connected() || calls().is_silent) return lease_.drop();
  Status status = lease_.release(calls());
  if (status == Status::ok) status = released();
  if (status == Status::unavailable && kept_error().code == 0) calls().is_silent = true;
}

Status EndpointCore::make_room(const std::string& room, const std::string& all, Time interval,
                               std::shared_ptr<Tokens>& out) {
  Box box;
  const Status status = Box::make(unbounded, box);
  if (status != Status::ok) return status;
  auto made = std::make_shared<Tokens>();
  made->receivers.open(std::move(box.receiver));
  made->room = std::make_shared<Room>(calls().connection, room, all, interval, std::move(box.mailbox));
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(rooms_, [](const auto& known) { return known.expired(); });
    rooms_.push_back(made);
  }
  if (closed_) made->room->close();
  calls().connection->add(made->room);
  out = std::move(made);
  return Status::ok;
}

Status EndpointCore::wait_token(TokenWait& wait, Time deadline) {
  Value token;
  const Status status = wait.receiver.recv(token, left_until(deadline));
  if (status == Status::timeout) return status;
  const Status usable = check();
  return status == Status::ok || usable != Status::ok ? usable : Status::no_memory;
}

Status TokenWait::begin() {
  const Status status = tokens_->receivers.take(receiver);
  if (status != Status::ok) return status;
  tokens_->room->begin_wait();
  waits_ = true;
  return status;
}

TokenWait::~TokenWait() {
  if (!waits_) return;
  tokens_->room->end_wait();
  tokens_->receivers.give(std::move(receiver));
}

}  // namespace xichan::nats::internal
