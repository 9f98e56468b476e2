// The sending endpoint of a channel on a server.
#pragma once

#include <atomic>
#include <span>
#include <string>
#include <vector>

#include "nats/endpoint.h"

namespace xichan::nats::internal {

/// Thread safety: any thread. Functions that return a Status describe a failure by `fail` and throw std::bad_alloc.
class SenderCore : public EndpointCore {
 public:
  using EndpointCore::EndpointCore;
  ~SenderCore() override;

  /// Registers this Sender, and takes the lease.
  Status open();

  Status send(Value&& value, Time deadline, bool waits);
  Status send_many(std::span<Value> values, std::size_t& sent, Time deadline);
  /// `error` may be null.
  Status close(const Value* error);
  void close_quietly() noexcept override;
  bool receives() const noexcept override { return false; }
  std::size_t held() const override { return 0; }

 private:
  friend class Batches;  // batches.cpp

  /// Values on their way.
  struct Flight {
    std::uint64_t first = 0;  // the number of the first message id
    std::size_t begin = 0;    // the index of the first value
    std::vector<std::string> data;
    Box box;
    std::uint64_t batch = 0;
  };

  Status encode(const Value& value, std::string& data) const;
  Status insist(std::uint64_t number, const std::string& data, Time deadline);
  Status publish(std::uint64_t number, const std::string& data, Time deadline, Replies& replies);
  Status launch(Flight& flight);
  Status land(Flight& flight, Time deadline, Replies& replies);
  Status look();
  Status full_or_other(std::string_view reply);
  Status take_room(std::shared_ptr<Tokens>& out);
  Status released() override;

  const Registry registry_{names_, settings_};
  const std::string prefix_ = identity_ + "-";  // of message ids
  std::atomic<std::uint64_t> next_number_{0};
  std::mutex room_mutex_;
  std::shared_ptr<Tokens> room_;
};

}  // namespace xichan::nats::internal
