// Sending many values: several batches are on their way at the same time.
//
// A value that is refused because the channel is full is sent again, after the values behind it. So that this does not
// change their order, values travel together only while the channel has much more free space than they take.
#include <algorithm>
#include <deque>

#include "nats/sender.h"

namespace xichan::nats::internal {
namespace {

constexpr std::size_t most_flights = 4;
constexpr std::uint64_t most_values = 256;  // of a flight
constexpr std::uint64_t most_bytes = std::uint64_t{1} << 20;
// The part of the free space that a call uses without looking again: as many Senders may do the same.
constexpr std::uint64_t share = 8;
// What the server counts beside the content of a value.
constexpr std::uint64_t value_overhead = 128;
constexpr std::uint64_t plenty = std::uint64_t{1} << 60;

std::uint64_t free_part(std::uint64_t bound, const Json& used) noexcept {
  const auto taken = static_cast<std::uint64_t>(used.integer());
  return bound > taken ? (bound - taken) / share : 0;
}

}  // namespace

/// One call. `hard`: the status that ends it at once. `soft`: the status of the first value that was not stored because
/// of the channel or the value; those behind it may be.
class Batches {
 public:
  Batches(SenderCore& sender, std::span<Value> values, std::size_t& sent, Time deadline)
      : sender_(sender), values_(values), sent_(sent), deadline_(deadline) {}
  Batches(const Batches&) = delete;
  Batches& operator=(const Batches&) = delete;
  ~Batches() {
    for (const auto& flight : flights_) sender_.calls().connection->cancel(flight.batch);
  }

  Status run() {
    while (soft_ == Status::ok && next_ < values_.size()) {
      if (budget_values_ < 2) {
        Status status = settle(most_flights + 1);  // the server does not count them yet
        if (soft_ != Status::ok) break;
        if (status == Status::ok) status = look();
        if (status != Status::ok) return status;
      }
      const Status status = send_next();
      if (status != Status::ok) return status;
    }
    const Status status = settle(most_flights + 1);
    if (status != Status::ok) return status;
    if (soft_ != Status::ok) kept_error() = error_;
    return soft_;
  }

 private:
  Status send_next() {
    SenderCore::Flight flight;
    const Status encoded = collect(flight);
    if (flight.data.size() == 1) {
      const Status status = settle(most_flights + 1);
      if (status != Status::ok || soft_ != Status::ok) return status;
      const Status single = send_one(flight);
      if (single != Status::ok) return single;
    } else if (!flight.data.empty()) {
      const Status status = sender_.launch(flight);
      if (status != Status::ok) return status;
      flights_.push_back(std::move(flight));
    }
    if (encoded != Status::ok) note(encoded);
    return flights_.size() > most_flights ? settle(1) : Status::ok;
  }

  Status send_one(SenderCore::Flight& flight) {
    Replies replies;
    Status status = sender_.publish(flight.first, flight.data.front(), deadline_, replies);
    if (status == Status::ok && !replies.empty()) {
      status = sender_.full_or_other(replies.front().second);
      if (status == Status::full) status = sender_.insist(flight.first, flight.data.front(), deadline_);
    }
    return finish(flight, 0, status);
  }

  // Notes what became of a value. Returns the status that ends the call at once, if it does.
  Status finish(const SenderCore::Flight& flight, std::size_t i, Status status) {
    if (status == Status::ok) {
      values_[flight.begin + i] = Value();
      ++sent_;
    } else if (status == Status::timeout || is_closed(status)) {
      note(status);
      return Status::ok;
    }
    return status;
  }

  void note(Status status) {
    if (soft_ != Status::ok) return;
    soft_ = status;
    error_ = kept_error();
  }

  // Looks how much may be sent before the next look at the free space.
  Status look() {
    const ChannelOptions& options = sender_.settings_.options;
    budget_values_ = budget_bytes_ = plenty;
    if (options.capacity == unbounded && options.max_bytes == 0) return Status::ok;
    Json info;
    const Status status = sender_.calls().api("STREAM.INFO." + sender_.names_.stream, {}, sender_.names_.title(), info);
    if (status == Status::unavailable && kept_error().code == stream_not_found) {
      note(sender_.closing("the " + sender_.names_.title() + " was deleted"));
      return Status::ok;
    }
    if (status != Status::ok) return status;
    const Json& state = info["state"];
    if (options.capacity != unbounded) {
      budget_values_ = std::max<std::uint64_t>(free_part(options.capacity, state["messages"]), 1);
    }
    if (options.max_bytes != 0) budget_bytes_ = free_part(options.max_bytes, state["bytes"]);
    return Status::ok;
  }

  // Encodes the next values that may travel together, at least one unless that fails.
  Status collect(SenderCore::Flight& flight) {
    const std::uint64_t most = std::min(budget_values_, most_values);
    std::uint64_t size = 0;
    Status status = Status::ok;
    flight.begin = next_;
    while (next_ < values_.size() &&
           ((flight.data.size() < most && size < std::min(budget_bytes_, most_bytes)) || flight.data.empty())) {
      std::string data;
      status = sender_.encode(values_[next_], data);
      if (status != Status::ok) break;
      size += data.size() + value_overhead;
      flight.data.push_back(std::move(data));
      ++next_;
    }
    budget_values_ -= std::min<std::uint64_t>(budget_values_, flight.data.size());
    budget_bytes_ -= std::min(budget_bytes_, size);
    flight.first = sender_.next_number_.fetch_add(flight.data.size());
    return status;
  }

  // Waits until the values of the first flights are stored.
  Status settle(std::size_t most) {
    for (; most > 0 && !flights_.empty(); --most) {
      SenderCore::Flight& flight = flights_.front();
      Replies replies;
      Status status = sender_.land(flight, deadline_, replies);
      if (status != Status::ok) return status;
      std::vector<const std::string*> refusals(flight.data.size());
      for (const auto& [index, reply] : replies) refusals[index] = &reply;
      const SenderCore::Flight landed = std::move(flight);
      flights_.pop_front();
      for (std::size_t i = 0; i < refusals.size(); ++i) {
        if (refusals[i] == nullptr) status = finish(landed, i, Status::ok);
      }
      for (const auto& [index, reply] : replies) {
        if (soft_ != Status::ok) break;
        status = sender_.full_or_other(reply);
        if (status == Status::full) status = sender_.insist(landed.first + index, landed.data[index], deadline_);
        status = finish(landed, index, status);
        if (status != Status::ok) return status;
      }
    }
    return Status::ok;
  }

  SenderCore& sender_;
  const std::span<Value> values_;
  std::size_t& sent_;
  const Time deadline_;
  std::deque<SenderCore::Flight> flights_;
  std::size_t next_ = 0;
  std::uint64_t budget_values_ = 0, budget_bytes_ = 0;
  Status soft_ = Status::ok;
  Error error_;
};

Status SenderCore::send_many(std::span<Value> values, std::size_t& sent, Time deadline) {
  sent = 0;
  const Status usable = check();
  if (usable != Status::ok) return usable;
  return Batches(*this, values, sent, deadline).run();
}

}  // namespace xichan::nats::internal
