// Calls of threads to a server over one connection: what is sent, and the wait for the reply.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nats/connection.h"
#include "nats/failure.h"
#include "nats/json.h"
#include "nats/names.h"

namespace xichan::nats::internal {

/// JetStream's numbers for these errors.
inline constexpr int stream_not_found = 10059;
inline constexpr int consumer_not_found = 10014;
/// The time of a call is over when its value or request is on its way: the reply is waited for this much longer.
inline constexpr Time grace = 250 * milliseconds;

/// Returns when a call with this limit ends.
inline Time deadline_of(TimeLimit limit) noexcept {
  return limit.timeout() == forever ? never : after(now(), limit.timeout().count());
}
/// Returns how long a local receive may wait until then.
inline Timeout left_until(Time deadline) noexcept {
  return deadline == never ? forever : Timeout(std::max<Time>(deadline - now(), 0));
}

/// A mailbox with its Receiver. Serves one call at a time.
struct Box {
  std::shared_ptr<Mailbox> mailbox;
  xichan::Receiver receiver;

  /// `ok | no_memory | arena_full`.
  static Status make(std::uint64_t capacity, Box& box) noexcept;
};

/// A local Receiver that several threads wait on: each takes a clone of its own. Thread safety: any thread.
class SharedReceiver {
 public:
  void open(xichan::Receiver&& receiver) noexcept { first_ = std::move(receiver); }
  /// `ok | no_memory | end_closed`.
  Status take(xichan::Receiver& out);
  void give(xichan::Receiver&& receiver);

 private:
  std::mutex mutex_;
  xichan::Receiver first_;
  std::vector<xichan::Receiver> free_;
};

/// The replies of a batch with their indexes in it: all of a request, those that report an error of values.
using Replies = std::vector<std::pair<std::size_t, std::string>>;
using Headers = std::vector<std::pair<std::string, std::string>>;

/// Thread safety: any thread. All functions that return a Status describe a failure by `fail` and throw std::bad_alloc.
class Calls {
 public:
  Calls(std::shared_ptr<Connection> opened, Time limit) : connection(std::move(opened)), timeout(limit) {}

  const std::shared_ptr<Connection> connection;
  const Time timeout;  // of a request
  /// An endpoint that was closed got no reply: others do not wait for one. Until the server replies again.
  std::atomic<bool> is_silent{false};

  /// Fails with `unavailable`: the connection has ended.
  Status gone() const;

  Status take_box(Box& box);
  void give_box(Box&& box);

  /// Waits for the replies to a batch. `ok | timeout | unavailable | no_memory`. A call that fails uses neither the
  /// batch nor the box again.
  Status wait(Box& box, std::uint64_t batch, Time deadline, Replies& replies);
  /// Sends a request and waits for its reply, for `timeout`. `what` names it in errors.
  Status request(const std::string& subject, std::string_view data, const Headers& headers, const std::string& what,
                 std::string& reply);
  /// Calls a function of JetStream's API. Fails with `unavailable` for an error that the server reports; its number is
  /// in last_error().
  Status api(const std::string& verb, std::string_view data, const std::string& what, Json& reply);

  /// Stores the server's information about the stream of a channel; null if it does not exist.
  Status find_stream(const Names& names, Json& info);

 private:
  std::mutex mutex_;
  std::vector<Box> free_;
};

/// Fails with `unavailable` for an error that the server reported.
Status refused(const std::string& what, const Json& error);

}  // namespace xichan::nats::internal
