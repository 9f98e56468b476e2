// The threads of the connections of this process, and how they end when it exits.
//
// exit() cleans OpenSSL up in one thread, and a thread that uses OpenSSL meanwhile crashes: when it closes a
// connection, frees one, or ends. So no thread may be left that does:
//   * A handler of exit() that runs before OpenSSL's, because it is registered later, closes the connections and waits
//     for their threads.
//   * libnats' thread for callbacks drops the last reference to a closed connection after its callback, while the
//     process may exit already. So the thread of the connection keeps one until that thread has gone on to the callback
//     of another connection, and drops it then. The connection that was closed last is never freed.
#pragma once

#include <nats/nats.h>

#include <cstdint>
#include <memory>

namespace xichan::nats::internal {

/// What a thread serves: a connection. Thread safety: any thread.
class Served {
 public:
  virtual ~Served() = default;
  /// Runs until the end of the connection. The thread.
  virtual void run() noexcept = 0;
  /// Returns true once `run` does nothing but return.
  virtual bool has_ended() const noexcept = 0;
  virtual void close_at_exit() noexcept = 0;
};

class Threads {
 public:
  /// Runs a connection in a thread. Throws std::bad_alloc, and std::system_error if threads are exhausted or the
  /// process exits. Any thread.
  static void start(const std::shared_ptr<Served>& connection);
  /// Waits until the thread of a connection that has ended is gone. Any thread but this one.
  static void join(const Served& connection) noexcept;
  /// Has the handler of exit() run before the one of OpenSSL, which must be in use already.
  static void watch_exit() noexcept;

  /// Says that the closed callback of a connection runs, and returns its number. libnats' thread for callbacks.
  static std::uint64_t begin_callback() noexcept;
  /// Takes a closed connection whose callback has run, and frees those of earlier callbacks. Threads of connections.
  static void retire(natsConnection* closed, std::uint64_t callback) noexcept;
};

}  // namespace xichan::nats::internal
