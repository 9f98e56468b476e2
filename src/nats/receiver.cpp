#include "nats/receiver.h"

#include <algorithm>

#include "nats/dead_letters.h"
#include "nats/end_watch.h"

namespace xichan::nats::internal {
namespace {

// A value that arrives after its call has given up is kept this long for the next call of the Receiver.
constexpr Time hold = 1'000 * milliseconds;

// Registers a call that waits for a value.
class Waiting {
 public:
  Waiting(Consumer& consumer, Time deadline) : consumer_(consumer), number_(consumer.begin_wait(deadline)) {}
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() { consumer_.end_wait(number_); }

 private:
  Consumer& consumer_;
  const std::uint64_t number_;
};

std::span<const std::byte> content_of(const Consumer::Accepted& delivery) noexcept {
  return std::as_bytes(std::span(data_of(delivery.message)));
}

}  // namespace

ReceiverCore::~ReceiverCore() {
  if (!is_inherited()) close_quietly();
}

Status ReceiverCore::open() {
  Box inbox;
  Status status = Box::make(unbounded, inbox);
  if (status != Status::ok) return status;
  inbox_.open(std::move(inbox.receiver));
  const Consumer::Settings consumer{names_.requests(), names_.room, hold, settings_.ack_wait()};
  const auto& connection = calls().connection;
  consumer_ = std::make_shared<Consumer>(connection, consumer, std::move(inbox.mailbox));
  connection->add(consumer_);
  const Leases leases(names_, settings_);
  status = lease_.take(calls(), leases, 'r', identity_);
  if (status != Status::ok) return status;
  connection->add(std::make_shared<EndWatch>(
      consumer_, EndWatch::Settings{"$JS.API.STREAM.INFO." + names_.stream, names_.changes(), names_.room,
                                    settings_.options.keep ? std::string() : leases.count_subject(),
                                    leases.count_data(), "$JS.API.STREAM.UPDATE." + names_.stream,
                                    settings_.sealed_stream(names_, "senders"), leases.lasts / 4, leases.lasts}));
  return Status::ok;
}

Status ReceiverCore::recv(Value& value, Time deadline) {
  Status status = check_acknowledges();
  Accepted delivery;
  Value loaded;
  if (status == Status::ok) status = take(delivery, loaded, deadline);
  if (status != Status::ok) return status;
  acknowledge(delivery);
  value = std::move(loaded);
  return status;
}

Status ReceiverCore::recv_nowait(Value& value) {
  Status status = check_acknowledges();
  std::vector<Accepted> found;
  if (status == Status::ok) status = probe(1, true, found);
  if (status != Status::ok) return status;
  if (found.empty()) return fail(Status::empty, "the " + names_.title() + " is empty");
  std::size_t received;
  return finish(found, {&value, 1}, received);
}

Status ReceiverCore::recv_many(std::span<Value> values, std::size_t& received, Time deadline) {
  received = 0;
  Status status = check_acknowledges();
  if (status != Status::ok || values.empty()) return status;
  std::vector<Accepted> found;
  status = probe(values.size(), false, found);
  if (status == Status::ok && found.empty()) {
    Accepted first;
    status = next(deadline, first);
    if (status != Status::ok) return status;
    found.push_back(std::move(first));
    std::vector<Accepted> rest;
    if (values.size() > 1 && probe(values.size() - 1, false, rest) == Status::ok) {  // else the next call reports it
      std::move(rest.begin(), rest.end(), std::back_inserter(found));
    }
  }
  return status == Status::ok ? finish(found, values, received) : status;
}

Status ReceiverCore::take(Accepted& delivery, Value& value, Time deadline) {
  const Status status = next(deadline, delivery);
  return status == Status::ok ? load(delivery, value) : status;
}

// Acknowledges deliveries together, and stores their values, up to one that cannot be decoded. That one and those after
// it are returned to the server, for the next call, which then fails. If it is the first, it becomes a dead letter.
Status ReceiverCore::finish(std::vector<Accepted>& found, std::span<Value> values, std::size_t& received) {
  Status status = Status::ok;
  std::vector<std::string> subjects;
  std::vector<std::uint64_t> removed;
  std::vector<Value> loaded(found.size());
  std::size_t count = 0;
  while (count < found.size() && (status = Value::load(content_of(found[count]), loaded[count])) == Status::ok) {
    subjects.emplace_back(reply_of(found[count].message));
    removed.push_back(found[count].delivery.sequence);
    ++count;
  }
  if (count != 0) consumer_->acknowledge(subjects, "+ACK", removed);
  const bool buries = count == 0 && status == Status::invalid;
  for (std::size_t i = buries ? 1 : count; i < found.size(); ++i) reply(found[i], "-NAK");
  if (count == 0) return buries ? load(found.front(), loaded.front()) : status;
  std::move(loaded.begin(), loaded.begin() + static_cast<std::ptrdiff_t>(count), values.begin());
  received = count;
  return Status::ok;
}

// Waits for a value that may be delivered.
Status ReceiverCore::next(Time deadline, Accepted& delivery) {
  for (;;) {
    Status status = check();
    std::uint64_t number = 0;
    if (status == Status::ok) status = wait_number(deadline, number);
    if (status == Status::timeout) return fail(status, "timed out: the " + names_.title() + " is empty");
    if (status == Status::closed) return ended();
    if (status == Status::ok) status = accept(number, delivery);
    if (status != Status::ok || delivery.message != nullptr) return status;
  }
}

// Waits until a number is in the inbox. `closed`: the inbox has ended.
Status ReceiverCore::wait_number(Time deadline, std::uint64_t& number) {
  xichan::Receiver inbox;
  Status status = inbox_.take(inbox);
  if (status != Status::ok) return status;
  const Waiting waiting(*consumer_, deadline);
  const Time last = deadline == never ? never : after(deadline, grace);
  while (status == Status::ok && number == 0) {
    Value value;
    status = inbox.recv(value, left_until(last));
    number = static_cast<std::uint64_t>(value.view().as_integer());
    if (status == Status::ok && number == 0 && now() >= deadline) status = Status::timeout;
  }
  inbox_.give(std::move(inbox));
  return status;
}

// Takes the message of a number. None if it was returned, or has become a dead letter.
Status ReceiverCore::accept(std::uint64_t number, Accepted& delivery) {
  delivery = number == 0 ? Accepted() : consumer_->accept(number);
  const std::uint64_t most = settings_.options.max_deliver;
  if (delivery.message == nullptr || most == 0 || delivery.delivery.count <= most) return Status::ok;
  const Accepted dead = std::exchange(delivery, Accepted());
  return bury(dead, "delivered " + std::to_string(most) + " times without an acknowledgment");
}

// Finds the values that are there now, at most `most`, by asking the server. Without a reply fails with `unavailable`
// if it `insists`, else finds what there is.
Status ReceiverCore::probe(std::size_t most, bool insists, std::vector<Accepted>& found) {
  Status status = check();
  if (status == Status::ok) status = take_arrived(most, found);
  if (status != Status::ok || found.size() == most) return status;
  Box box;
  status = calls().take_box(box);
  if (status != Status::ok) return status;
  const std::uint64_t number = consumer_->probe(most - found.size(), box.mailbox);
  Replies ignored;
  status = calls().wait(box, number, after(now(), calls().timeout), ignored);
  consumer_->cancel_probe(number);
  if (status == Status::timeout) {
    Json info;
    status = insists && found.empty() ? calls().find_stream(names_, info) : Status::ok;
  }
  if (status == Status::no_memory && consumer_->has_ended()) status = Status::closed;  // the mailbox was closed
  if (status == Status::closed && found.empty()) status = ended();
  if (status != Status::ok && found.empty()) return status;
  status = take_arrived(most - found.size(), found);
  return found.empty() ? status : Status::ok;
}

// Takes the values that have arrived, at most `most`.
Status ReceiverCore::take_arrived(std::size_t most, std::vector<Accepted>& found) {
  xichan::Receiver inbox;
  Status status = inbox_.take(inbox);
  if (status != Status::ok) return status;
  const std::size_t before = found.size();
  Value number;
  while (found.size() - before < most && (status = inbox.recv_nowait(number)) == Status::ok) {
    Accepted delivery;
    status = accept(static_cast<std::uint64_t>(number.view().as_integer()), delivery);
    if (status != Status::ok) break;
    if (delivery.message != nullptr) found.push_back(std::move(delivery));
  }
  inbox_.give(std::move(inbox));
  if (status == Status::empty || found.size() != before) return Status::ok;
  return status == Status::closed ? ended() : status;
}

// Stores the value of a delivery; if it cannot be decoded, it becomes a dead letter.
Status ReceiverCore::load(const Accepted& delivery, Value& value) {
  Status status = Value::load(content_of(delivery), value);
  if (status != Status::invalid) return status;
  status = bury(delivery, "cannot be decoded: it is not a dump");
  if (status != Status::ok) return status;
  return fail(Status::invalid, "the " + names_.title() + " held what is not a value: it is a dead letter now");
}

Status ReceiverCore::bury(const Accepted& delivery, const std::string& reason) {
  if (!names_.is_dead) {
    const Status status = store_dead_letter(calls(), names_, settings_, delivery, reason);
    if (status != Status::ok) return status;
  }
  acknowledge(delivery);
  return Status::ok;
}

void ReceiverCore::acknowledge(const Accepted& delivery) {
  consumer_->acknowledge({std::string(reply_of(delivery.message))}, "+ACK", {delivery.delivery.sequence});
}

void ReceiverCore::reply(const Accepted& delivery, std::string_view verb) {
  consumer_->acknowledge({std::string(reply_of(delivery.message))}, verb, {});
}

Status ReceiverCore::check_acknowledges() const {
  const Status status = check();
  if (status != Status::ok || settings_.options.ack == Acknowledge::receive) return status;
  return fail(Status::invalid, "the " + names_.title() + " has Acknowledge::lease: use lease()");
}

// The inbox has ended.
Status ReceiverCore::ended() { return closing("the " + names_.title() + " is closed"); }

bool ReceiverCore::is_finished(const Json& info) const noexcept {
  return is_shut_down(info) || (is_sealed(info) && info["state"]["messages"].integer() == 0);
}

void ReceiverCore::close() {
  const std::lock_guard lock(closing_);
  if (is_closed()) return;
  mark_closed();
  if (consumer_ != nullptr) consumer_->close();
  if (hub_->check() == Status::ok) {
    leave();
  } else {
    lease_.drop();
  }
}

void ReceiverCore::close_quietly() noexcept {
  (void)guarded_status([&] {
    close();
    return Status::ok;
  });
}

}  // namespace xichan::nats::internal
