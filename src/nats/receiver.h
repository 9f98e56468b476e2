// The receiving endpoint of a channel on a server.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nats/consumer.h"
#include "nats/endpoint.h"

namespace xichan::nats::internal {

/// Thread safety: any thread. Functions that return a Status describe a failure by `fail` and throw std::bad_alloc.
class ReceiverCore : public EndpointCore {
 public:
  using Accepted = Consumer::Accepted;

  using EndpointCore::EndpointCore;
  ~ReceiverCore() override;

  /// Takes the lease, and begins to serve calls.
  Status open();

  Status recv(Value& value, Time deadline);
  Status recv_nowait(Value& value);
  Status recv_many(std::span<Value> values, std::size_t& received, Time deadline);
  /// Receives a value without acknowledging it.
  Status take(Accepted& delivery, Value& value, Time deadline);
  void close();
  void close_quietly() noexcept override;
  bool receives() const noexcept override { return true; }
  std::size_t held() const override { return consumer_->held(); }

  /// Acknowledges a delivery, which the stream then removes.
  void acknowledge(const Accepted& delivery);
  /// Publishes another kind of acknowledgment once.
  void reply(const Accepted& delivery, std::string_view verb);
  /// Moves a delivered value to the dead letters.
  Status bury(const Accepted& delivery, const std::string& reason);
  Status check_hub() const { return hub_->check(); }
  bool is_last_delivery(const Accepted& delivery) const noexcept {
    return settings_.options.max_deliver != 0 && delivery.delivery.count >= settings_.options.max_deliver;
  }

 private:
  Status check_acknowledges() const;
  Status next(Time deadline, Accepted& delivery);
  Status wait_number(Time deadline, std::uint64_t& number);
  Status accept(std::uint64_t number, Accepted& delivery);
  Status probe(std::size_t most, bool insists, std::vector<Accepted>& found);
  Status take_arrived(std::size_t most, std::vector<Accepted>& found);
  Status load(const Accepted& delivery, Value& value);
  Status finish(std::vector<Accepted>& found, std::span<Value> values, std::size_t& received);
  Status ended();
  bool is_finished(const Json& info) const noexcept override;

  std::shared_ptr<Consumer> consumer_;
  SharedReceiver inbox_;
};

}  // namespace xichan::nats::internal
