#include "nats/sender.h"

#include <algorithm>

#include "nats/channel_error.h"
#include "nats/channels.h"

namespace xichan::nats::internal {
namespace {

// JetStream's numbers for refused values.
constexpr int store_failed =
    10077;  // with "maximum messages exceeded" or "maximum bytes exceeded": the channel is full
constexpr int sealed = 10109;
constexpr int value_too_large = 10054;
// How long a call waits for a reply before it looks whether the channel exists.
constexpr Time look_interval = 1'000 * milliseconds;
// Between attempts of one of the calls that wait for free space and are told nothing.
constexpr Time try_interval = 1'000 * milliseconds;

}  // namespace

SenderCore::~SenderCore() {
  if (!is_inherited()) close_quietly();
}

Status SenderCore::open() {
  Heartbeat::Messages farewell;
  if (!settings_.options.keep) {
    farewell.push_back(registry_.removal(identity_));
    const Status status = registry_.enter(calls(), identity_);
    if (status != Status::ok) return status;
  }
  return lease_.take(calls(), Leases(names_, settings_), 's', identity_, std::move(farewell));
}

Status SenderCore::encode(const Value& value, std::string& data) const {
  Status status = check();
  Dump dump;
  if (status == Status::ok) status = value.dump(dump);
  if (status == Status::invalid) {
    return fail(status, "endpoints, queues, shared objects and Buffers exist in one process");
  }
  if (status != Status::ok) return status;
  const std::size_t size = dump.size();
  const std::uint64_t most = settings_.options.max_bytes;
  if (size > hub_->max_value) {
    return fail(Status::too_large, "the value takes " + std::to_string(size) +
                                       " bytes, and the server accepts at most " + std::to_string(hub_->max_value) +
                                       ": raise max_payload in the configuration of the server, or send the value in "
                                       "parts");
  }
  if (most != 0 && size > most) {
    return fail(Status::too_large,
                "the value takes " + std::to_string(size) + " bytes, more than max_bytes=" + std::to_string(most));
  }
  data.resize(size);
  dump.write(reinterpret_cast<std::byte*>(data.data()));
  return Status::ok;
}

Status SenderCore::send(Value&& value, Time deadline, bool waits) {
  std::string data;
  Status status = encode(value, data);
  if (status != Status::ok) return status;
  const std::uint64_t number = next_number_++;
  Replies replies;
  status = publish(number, data, deadline, replies);
  if (status == Status::ok && !replies.empty()) {
    status = full_or_other(replies.front().second);
    if (status == Status::full && waits) status = insist(number, data, deadline);
  }
  if (status == Status::ok) value = Value();
  return status;
}

// Sends a value that was refused because the channel was full, once it is not.
Status SenderCore::insist(std::uint64_t number, const std::string& data, Time deadline) {
  std::shared_ptr<Tokens> tokens;
  Status status = take_room(tokens);
  if (status != Status::ok) return status;
  TokenWait wait(std::move(tokens));
  status = wait.begin();
  while (status == Status::ok) {
    status = wait_token(wait, deadline);
    if (status == Status::timeout) return fail(status, "timed out: the " + names_.title() + " is full");
    Replies replies;
    if (status == Status::ok) status = publish(number, data, deadline, replies);
    if (status != Status::ok || replies.empty()) return status;
    status = full_or_other(replies.front().second);
    if (status == Status::full) status = Status::ok;
  }
  return status;
}

Status SenderCore::publish(std::uint64_t number, const std::string& data, Time deadline, Replies& replies) {
  Flight flight;
  flight.first = number;
  flight.data.push_back(data);
  const Status status = launch(flight);
  return status == Status::ok ? land(flight, deadline, replies) : status;
}

Status SenderCore::launch(Flight& flight) {
  const Status status = calls().take_box(flight.box);
  if (status != Status::ok) return status;
  const std::vector<std::string_view> values(flight.data.begin(), flight.data.end());
  flight.batch = calls().connection->send(flight.box.mailbox, names_.values, prefix_, flight.first, values);
  return status;
}

// Waits for the replies to values. Those that report an error are stored.
Status SenderCore::land(Flight& flight, Time deadline, Replies& replies) {
  const Time last = deadline == never ? never : after(deadline, grace);
  Status status;
  do {
    const Time until = std::min(last, after(now(), std::min(calls().timeout, look_interval)));
    status = calls().wait(flight.box, flight.batch, until, replies);
    if (status == Status::ok) return status;
    if (status == Status::timeout && now() >= last) {
      status = fail(Status::unconfirmed,
                    "timed out: the server did not confirm that the " + names_.title() + " holds the value");
    } else if (status == Status::timeout && (status = check()) == Status::ok) {
      // No reply: the server is away, or the channel is.
      if (calls().connection->is_connected()) status = look();
    }
  } while (status == Status::ok);
  calls().connection->cancel(flight.batch);
  return status;
}

// Fails if the channel was deleted.
Status SenderCore::look() {
  Json info;
  const Status status = calls().find_stream(names_, info);
  if (status == Status::unavailable && !hub_->has_ended()) return Status::ok;  // the servers have no leader
  return status == Status::ok && !info ? closing("the " + names_.title() + " was deleted") : status;
}

// Returns `full` if that is why the server refused a value, else the status of the call.
Status SenderCore::full_or_other(std::string_view reply) {
  Json parsed;
  if (!Json::parse(reply, parsed)) return fail(Status::unavailable, "the server replied with what is not JSON");
  const Json& error = parsed["error"];
  const auto code = error["err_code"].integer();
  const std::string& description = error["description"].text();
  if (code == store_failed && description.starts_with("maximum ")) {
    return fail(Status::full, "the " + names_.title() + " is full");
  }
  if (code == sealed) return closing("the " + names_.title() + " is shut down");
  if (code == value_too_large) {
    return fail(Status::too_large, "the value is larger than the " + names_.title() + " accepts: " + description);
  }
  return refused(names_.title(), error);
}

Status SenderCore::take_room(std::shared_ptr<Tokens>& out) {
  const std::lock_guard lock(room_mutex_);
  if (room_ == nullptr) {
    const Status status = make_room(names_.room, names_.changes(), try_interval, room_);
    if (status != Status::ok) return status;
  }
  out = room_;
  return Status::ok;
}

Status SenderCore::close(const Value* error) {
  const std::lock_guard lock(closing_);
  if (is_closed()) return Status::ok;
  if (hub_->check() == Status::ok) {
    if (error != nullptr) {
      const Status status = record_error(calls(), names_, settings_, *error);
      if (status != Status::ok) return status;
    }
    leave();
  } else {
    lease_.drop();
  }
  mark_closed();
  return Status::ok;
}

void SenderCore::close_quietly() noexcept {
  (void)guarded_status([&] { return close(nullptr); });
  try {
    mark_closed();
  } catch (const std::bad_alloc&) {
  }
}

Status SenderCore::released() {
  if (settings_.options.keep) return Status::ok;
  const Leases leases(names_, settings_);
  std::size_t senders = 0, receivers = 0;
  bool empty = false;
  Status status = registry_.leave(calls(), identity_);
  if (status == Status::ok) status = registry_.is_empty(calls(), empty);
  if (status == Status::ok && empty) status = leases.count(calls(), leases.senders, senders, receivers);
  const bool is_last = status == Status::ok && empty && senders == 0;
  return is_last ? seal(calls(), names_, settings_, "senders") : status;
}

}  // namespace xichan::nats::internal
