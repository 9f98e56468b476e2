// What the thread of a connection serves besides calls: each has subscriptions of its own.
#pragma once

#include "nats/exchange.h"

namespace xichan::nats::internal {

class Connection;

/// Thread safety: these functions are called by the thread of the connection, which holds none of its locks.
class Source {
 public:
  virtual ~Source() = default;
  /// Takes the messages that have arrived.
  virtual void read(Connection& connection) = 0;
  /// The connection is up again. `unsubscribe` was called, because it is a new one.
  virtual void on_reconnected(Connection& connection) = 0;
  virtual void on_time(Connection& connection, Time time) = 0;
  /// Returns when to call `on_time`.
  virtual Time next_time() const = 0;
  /// Returns true if the connection no longer needs to serve it.
  virtual bool is_finished() const = 0;
  /// Gives up what it holds, as its owner may. Nothing is published once the connection has ended.
  virtual void close() = 0;
  virtual void unsubscribe() noexcept = 0;
  /// The server has confirmed `count` acknowledgments of this source.
  virtual void on_acknowledged(std::size_t) {}
};

}  // namespace xichan::nats::internal
