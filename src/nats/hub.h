// A connection to a server, and the endpoints that use it.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "nats/calls.h"
#include "nats/fork.h"

namespace xichan::nats::internal {

/// An endpoint, as the hub that it belongs to knows it. Thread safety: any thread.
class HubMember {
 public:
  virtual ~HubMember() = default;
  virtual bool is_closed() const noexcept = 0;
  /// Closes, whatever happens.
  virtual void close_quietly() noexcept = 0;
  virtual bool receives() const noexcept = 0;
  /// Returns how many values have arrived and were not received.
  virtual std::size_t held() const = 0;
};

/// Thread safety: any thread. Functions that return a Status describe a failure by `fail` and throw std::bad_alloc.
class HubCore : public std::enable_shared_from_this<HubCore> {
 public:
  /// Connects. `ok | unavailable | invalid | no_memory`.
  static Status connect(std::string_view servers, const nats::ConnectOptions& options, std::shared_ptr<HubCore>& out);
  HubCore(std::shared_ptr<Connection> connection, Box events, Time timeout, std::size_t max_value);

  /// `ok`, or the status of calls on a hub that cannot be used.
  Status check() const;
  bool is_inherited() const noexcept { return is_forked(process_); }
  bool has_ended() const noexcept { return calls.connection->has_ended(); }
  bool is_closed() const noexcept { return closed_; }

  /// Has `close` close an endpoint.
  void add(const std::shared_ptr<HubMember>& endpoint);
  Status stats(HubStats& out);
  void close();

  Calls calls;
  const std::size_t max_value;  // the most bytes that the dump of a value may have

 private:
  std::vector<std::shared_ptr<HubMember>> endpoints();

  const pid_t process_;
  std::atomic<bool> closed_{false};
  std::mutex mutex_;
  std::vector<std::weak_ptr<HubMember>> endpoints_;
  std::mutex closing_;
  Box events_;
};

}  // namespace xichan::nats::internal
