// xichan._nats.Connection.
#pragma once

#include "nats/connection.h"
#include "nats/object.h"

namespace xichan::nats::internal {

struct OwnedConnection {
  std::shared_ptr<Connection> connection;
  pid_t process = getpid();

  OwnedConnection() = default;
  OwnedConnection(OwnedConnection&& other) noexcept : connection(std::move(other.connection)), process(other.process) {}
  ~OwnedConnection() {
    if (!is_forked(process)) {
      if (connection != nullptr) connection->close();
    } else {
      leak(std::move(connection));
    }
  }
};

}  // namespace xichan::nats::internal
