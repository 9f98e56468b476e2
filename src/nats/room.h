// Wakes calls that wait for free space in a channel.
//
// Receivers publish to the subject `room` how many values they have removed, once the server has confirmed it. A call
// whose value was refused registers as a waiter, then waits for a token, tries again, and so on. The first token is
// given once the subscription is known to precede the next attempt; so a value that is removed after that attempt is
// reported to this process. A token means "one of the waiters should try": it is not bound to one. A waiter that
// succeeds or gives up passes on what it may have kept from others: `end_wait` gives another token.
//
// Messages of this kind may be lost when a connection breaks. So all waiters try again after a reconnection, and one of
// them does at an interval.
//
// `tests/model/test_room.py` searches the orders of the steps.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "nats/source.h"

namespace xichan::nats::internal {

/// Thread safety: any thread.
class Room : public Source, public std::enable_shared_from_this<Room> {
 public:
  /// `tokens` receives an int per token. Messages to `all` concern every waiter. `interval`: of tokens without a
  /// reason.
  Room(std::shared_ptr<Connection> connection, std::string room, std::string all, Time interval,
       std::shared_ptr<Mailbox> tokens);

  void begin_wait();
  void end_wait();
  std::size_t waiters() const;

  void read(Connection& connection) override;
  void on_reconnected(Connection& connection) override;
  void on_time(Connection& connection, Time time) override;
  Time next_time() const override;
  bool is_finished() const override;
  void close() override;
  void unsubscribe() noexcept override;

 private:
  void give(std::size_t count);

  const std::shared_ptr<Connection> connection_;
  const std::string room_, all_;
  const Time interval_;
  const std::shared_ptr<Mailbox> tokens_;
  natsSubscription* room_subscription_ = nullptr;
  natsSubscription* all_subscription_ = nullptr;

  mutable std::mutex mutex_;
  std::size_t waiters_ = 0;
  Time look_at_ = never;  // when a waiter tries without being told
  bool subscribed_ = false;
  bool closed_ = false;
};

}  // namespace xichan::nats::internal
