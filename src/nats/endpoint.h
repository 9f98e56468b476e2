// What Senders and Receivers of channels on a server have in common.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "nats/hub.h"
#include "nats/leases.h"
#include "nats/room.h"

namespace xichan::nats::internal {

/// A room, for the calls of an endpoint that wait for its tokens.
struct Tokens {
  std::shared_ptr<Room> room;
  SharedReceiver receivers;
  ~Tokens() {
    if (room != nullptr) room->close();
  }
};

/// One call that waits for tokens. Thread safety: one thread.
class TokenWait {
 public:
  explicit TokenWait(std::shared_ptr<Tokens> tokens) noexcept : tokens_(std::move(tokens)) {}
  TokenWait(const TokenWait&) = delete;
  TokenWait& operator=(const TokenWait&) = delete;
  ~TokenWait();

  /// `ok | no_memory | end_closed`.
  Status begin();
  xichan::Receiver receiver;

 private:
  const std::shared_ptr<Tokens> tokens_;
  bool waits_ = false;
};

/// Thread safety: any thread. Functions that return a Status describe a failure by `fail` and throw std::bad_alloc.
class EndpointCore : public HubMember {
 public:
  EndpointCore(std::shared_ptr<HubCore> hub, const Names& names, const Settings& settings);

  bool is_inherited() const noexcept { return hub_->is_inherited(); }
  bool is_closed() const noexcept override { return closed_; }
  Time request_timeout() const noexcept { return hub_->calls.timeout; }
  const Names& names() const noexcept { return names_; }
  const Settings& settings() const noexcept { return settings_; }
  Value error() const;

  /// `ok`, or the status of calls on an endpoint that cannot be used.
  Status check() const;
  /// Stores whether this endpoint can do nothing more.
  Status look_closed(bool& closed);
  Status stats(Stats& out);
  /// `error` may be null.
  Status shutdown(bool immediate, const Value* error);
  Status wait_closed(Time deadline);

 protected:
  /// Makes a room, which `mark_closed` closes. `ok | no_memory | arena_full`.
  Status make_room(const std::string& room, const std::string& all, Time interval, std::shared_ptr<Tokens>& out);
  /// Waits for a token. `ok | timeout`, or the status of calls on an endpoint that cannot be used.
  Status wait_token(TokenWait& wait, Time deadline);
  /// Returns the status of a call on a channel that has ended, and keeps its error.
  Status closing(const std::string& message);
  /// Marks this endpoint as closed, and ends calls that wait for a room.
  void mark_closed();
  /// Releases the lease, and does what is to follow.
  void leave();
  virtual Status released() { return Status::ok; }
  virtual bool is_finished(const Json& info) const noexcept { return is_shut_down(info); }
  Calls& calls() const noexcept { return hub_->calls; }

  const std::shared_ptr<HubCore> hub_;
  const Names names_;
  const Settings settings_;
  const std::string identity_;
  EndpointLease lease_;
  std::mutex closing_;  // held by the call that closes

 private:
  std::atomic<bool> closed_{false};
  mutable std::mutex mutex_;
  std::vector<std::weak_ptr<Tokens>> rooms_;
  Value error_;
};

}  // namespace xichan::nats::internal
