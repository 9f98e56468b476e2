// Publishes a message again and again, by which others know that this process lives, and messages of farewell.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "nats/source.h"

namespace xichan::nats::internal {

/// Thread safety: any thread.
class Heartbeat : public Source {
 public:
  using Messages = std::vector<std::pair<std::string, std::string>>;  // subjects and contents

  Heartbeat(std::shared_ptr<Connection> connection, std::string subject, Time interval, Messages farewell);

  /// Stops, without a farewell: the caller has done what it asks for.
  void stop();

  void read(Connection&) override {}
  void on_reconnected(Connection& connection) override;
  void on_time(Connection& connection, Time time) override;
  Time next_time() const override;
  bool is_finished() const override;
  /// Stops, and publishes the farewell.
  void close() override;
  void unsubscribe() noexcept override {}

 private:
  const std::shared_ptr<Connection> connection_;
  const std::string subject_;
  const Time interval_;
  const Messages farewell_;
  mutable std::mutex mutex_;
  Time next_;
  bool stopped_ = false;
};

}  // namespace xichan::nats::internal
