// Channels between processes and machines: the endpoints of channel.h over a NATS server with JetStream. They are in
// the library xichan::nats, which is built where libnats is found. Programs in Python use the same channels by
// xichan.nats; docs/reference/nats.md has the rules.
//
// A thread that is attached to an interpreter must not call what blocks here. Detach first (Py_BEGIN_ALLOW_THREADS).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "xichan/export.h"
#include "xichan/flavor.h"
#include "xichan/status.h"
#include "xichan/time_limit.h"
#include "xichan/value.h"

namespace xichan::nats {

namespace internal {
class EndpointCore;
class HubCore;
class LeaseCore;
class ReceiverCore;
class SenderCore;
}  // namespace internal

class Hub;
class Lease;
class Receiver;
class Sender;

/// A number of seconds; every std::chrono duration converts to it.
using Seconds = std::chrono::duration<double>;

/// Describes why a call failed.
struct Error {
  std::string message;
  int code = 0;  ///< JetStream's number for the error if the server sent one
};

/// Returns the description of the last call on this thread that did not return `ok`; its message is empty if there is
/// no description, as for `no_memory`. It never contains a password or token. Valid until the next call on this thread.
/// `close()` without an error and destructors keep it.
XICHAN_API const Error& last_error() noexcept;

/// How to connect. The defaults are those of `xichan.nats.connect()` in Python.
struct ConnectOptions {
  Seconds timeout{5.0};  ///< of each attempt to connect, and of each request that a call makes itself
  std::string name;      ///< what the server shows in its list of connections
  std::string user, password, token;
  std::string credentials;  ///< the path of a .creds file
  bool tls = false;         ///< also by the scheme tls:// of a server
  std::string tls_ca, tls_certificate, tls_key, tls_hostname, tls_ciphers;
  bool tls_verify = true;
  Seconds ping_interval{5.0};        ///< a server that misses two pings is lost
  Seconds reconnect_wait{0.05};      ///< before the first attempt; then twice as long, and so on
  Seconds max_reconnect_wait{2.0};   ///< but no longer than this
  std::int64_t max_reconnects = -1;  ///< attempts in a row; -1: without end
};

/// What the values of a channel survive; docs/reference/nats.md states what each promises.
enum class Storage : std::uint8_t {
  memory,   ///< the end of all programs that use the channel
  file,     ///< also a server process that is killed
  durable,  ///< also the loss of one of three servers
};

/// What acknowledges a value.
enum class Acknowledge : std::uint8_t {
  receive,  ///< receiving it
  lease,    ///< the program, by a Lease
};

/// The settings of a channel. The defaults are those of `Hub.channel()` in Python.
struct ChannelOptions {
  std::uint64_t capacity = 1000;  ///< how many values it holds at most, with those not acknowledged; or `unbounded`
  std::uint64_t max_bytes = 0;    ///< bound on their bytes on the server; 0 for none
  Storage storage = Storage::memory;
  Acknowledge ack = Acknowledge::receive;
  Seconds ack_wait{30.0};           ///< a value that is not acknowledged after this time is delivered again
  std::uint64_t max_deliver = 0;    ///< after so many deliveries it becomes a dead letter; 0: never
  Seconds duplicate_window{120.0};  ///< how long the server remembers message ids
  Seconds sender_timeout{10.0};     ///< a Sender whose process has died counts as closed after this time
  bool keep = false;                ///< the channel does not end with its last Sender
};

/// The figures of a channel: the server counts for all machines.
struct Stats {
  std::uint64_t depth = 0;              ///< values in the channel, with those received and not acknowledged
  std::uint64_t bytes = 0;              ///< their size on the server
  std::uint64_t sent = 0;               ///< values ever accepted
  std::uint64_t received = 0;           ///< of these, values that the channel no longer holds
  std::uint64_t unacknowledged = 0;     ///< values received and not acknowledged
  std::uint64_t redelivered = 0;        ///< of these, values delivered more than once
  std::uint64_t waiting_receivers = 0;  ///< receives that wait for a value
  std::uint64_t senders = 0;            ///< open Senders; one whose process has died counts until its lease ends
  std::uint64_t receivers = 0;          ///< open Receivers, likewise
  std::uint64_t dead_letters = 0;       ///< values that are in the dead letters
  std::uint64_t capacity = 0;           ///< or `unbounded`
  Storage storage = Storage::memory;
  bool closed = false;  ///< the channel has ended, or is shut down
};

/// The state of a hub.
struct HubStats {
  std::string server;                ///< that it is connected to, or was last, without a password
  std::vector<std::string> servers;  ///< that it may connect to: those given, then those found in the cluster
  bool connected = false;
  bool closed = false;
  std::uint64_t reconnects = 0;
  std::uint64_t unconfirmed = 0;  ///< requests, values and acknowledgments without a reply
  std::uint64_t max_value = 0;    ///< the most bytes that the dump of a value may have
  std::uint64_t senders = 0;      ///< open Senders of this hub
  std::uint64_t receivers = 0;    ///< open Receivers of this hub
  std::uint64_t held = 0;         ///< values that have arrived and were not received
};

/// Owns one endpoint of a channel on a server; the part of Sender and Receiver that does not depend on the side.
///
/// A call on an endpoint that is empty or closed returns `end_closed`, also after its Hub is closed, and in the child
/// of a fork. Every call may return `no_memory`, and `unavailable` if the server refused a request, gave no reply to
/// one within the timeout of the hub, or the connection is lost for good; last_error() has the reason. While a
/// connection is made again, calls wait.
///
/// Thread safety: any number of threads may use one endpoint at the same time; moving and destroying it exclude other
/// calls. All calls block for replies of the server, except `name`, `capacity`, `error` and `bool`.
class XICHAN_API Endpoint {
 public:
  /// Returns true unless this endpoint is empty. A closed one is not empty.
  explicit operator bool() const noexcept { return core_ != nullptr; }
  /// Returns the name of the channel. Valid while this endpoint exists.
  std::string_view name() const noexcept;
  /// Returns how many values the channel holds at most, or `unbounded`; 0 for an empty endpoint.
  std::uint64_t capacity() const noexcept;
  /// Returns true if this endpoint can do nothing more: it or its hub is closed, or the channel is shut down or
  /// deleted; for a Receiver also if the last Sender is closed and no value is left. Returns false if the server cannot
  /// be asked.
  bool closed() const noexcept;
  /// Stores the figures of the channel.
  Status stats(Stats& out) const noexcept;
  /// Closes the channel for all its endpoints on all machines: sends return `closed` from now on, receives once they
  /// have drained the channel. `immediate` deletes the channel with its values instead.
  Status shutdown(bool immediate = false) noexcept;
  /// Does the same with an error: where calls would return `closed`, they return `failed`. The first error is kept.
  /// Returns `invalid` if the error contains an endpoint, and then does nothing.
  Status shutdown(bool immediate, const Value& error) noexcept;
  /// Blocks until the channel is shut down or deleted, or its last Sender is closed. Receivers may still drain it.
  /// `ok | timeout | end_closed`.
  Status wait_closed(TimeLimit limit = forever) const noexcept;
  /// Returns the error of a channel after a call has returned `failed`; else None. An exception from Python is a tuple
  /// that starts with the name of its type, its message and its traceback, all text.
  Value error() const noexcept;

 protected:
  Endpoint() noexcept = default;
  explicit Endpoint(std::shared_ptr<internal::EndpointCore> core) noexcept : core_(std::move(core)) {}
  Endpoint(Endpoint&&) noexcept = default;
  ~Endpoint() = default;

  std::shared_ptr<internal::EndpointCore> core_;
};

/// The sending endpoint. Errors and thread safety: as Endpoint.
///
/// Values travel as dumps (Value::dump). The server knows each by an id, so a value whose confirmation is lost with a
/// connection is sent again and stored once.
class XICHAN_API Sender : public Endpoint {
 public:
  /// Makes an empty endpoint.
  Sender() noexcept = default;
  Sender(Sender&&) noexcept = default;
  Sender& operator=(Sender&& other) noexcept;
  /// Closes the endpoint.
  ~Sender() { close(); }

  /// Sends a value; blocks while the channel is full, and until the server has stored the value. `ok | closed | failed
  /// | end_closed`; `timeout` if the channel was full all the time: the value was not sent. `unconfirmed` if the server
  /// did not reply in time: it may have stored the value. `too_large` for a value over `HubStats::max_value` or
  /// `max_bytes`; `invalid` for one with an endpoint. Takes over the value if `ok`, else leaves it unchanged.
  Status send(Value&& value, TimeLimit limit = forever) noexcept;
  /// Sends a value, or returns `full`. Blocks for the reply of the server, at most for the timeout of the hub.
  Status send_nowait(Value&& value) noexcept;
  /// Sends the values in order, many on their way together; blocks while the channel is full. Returns `ok` once all are
  /// stored, else the status of the first that was not. `sent` receives the number of values stored. Those are now
  /// none; the others are unchanged. The limit covers the whole call.
  Status send_many(std::span<Value> values, std::size_t& sent, TimeLimit limit = forever) noexcept;

  /// Closes this Sender. Closing the last one ends the channel, unless it was made with `keep`. Idempotent. If the
  /// server is away, the channel ends when its `sender_timeout` has passed.
  void close() noexcept;
  /// Does the same and makes receives return `failed` instead of `closed` once the channel is drained. The first error
  /// of a channel is kept. Returns `invalid` if the error contains an endpoint, and then does not close.
  Status close(const Value& error) noexcept;

 private:
  friend class Hub;
  explicit Sender(std::shared_ptr<internal::SenderCore> core) noexcept;
  internal::SenderCore* core() const noexcept;
};

/// A value that was received and is not acknowledged yet. Destroying it returns the value, as `nak` does; so does an
/// exception that leaves its scope.
///
/// Thread safety: one thread at a time.
class XICHAN_API Lease {
 public:
  /// Makes an empty lease.
  Lease() noexcept = default;
  Lease(Lease&&) noexcept = default;
  Lease& operator=(Lease&& other) noexcept;
  /// Returns the value to the channel, unless it was acknowledged or returned; may block as `nak` does.
  ~Lease();

  /// Returns the value; None for an empty lease. Valid while this lease exists.
  ValueView value() const noexcept;
  /// Returns how often the value has been delivered, this time included; 0 for an empty lease.
  std::uint64_t delivery() const noexcept;
  /// Returns true once the value has been acknowledged or returned, and for an empty lease.
  bool done() const noexcept;
  /// Acknowledges the value: the channel forgets it. Never blocks; repeated until the server has confirmed it.
  /// `ok | end_closed | unavailable`; unless `ok` the value is delivered again after `ack_wait`.
  Status ack() noexcept;
  /// Returns the value to the channel, which delivers it again. Never blocks. After `max_deliver` deliveries it becomes
  /// a dead letter instead, which blocks for the reply of the server. `ok | end_closed | unavailable`.
  Status nak() noexcept;
  /// Begins `ack_wait` anew, because the value is still being processed. Never blocks. `ok | end_closed | unavailable`.
  Status extend() noexcept;

 private:
  friend class Receiver;
  std::unique_ptr<internal::LeaseCore, void (*)(internal::LeaseCore*)> core_{nullptr, nullptr};
};

/// The receiving endpoint. Errors and thread safety: as Endpoint. Each value is received by one of the channel's
/// Receivers. Every receive may also return `closed` or `failed` once the channel has ended and no value is left, and
/// `invalid` for a message that is not a value: it is moved to the dead letters.
class XICHAN_API Receiver : public Endpoint {
 public:
  /// Makes an empty endpoint.
  Receiver() noexcept = default;
  Receiver(Receiver&&) noexcept = default;
  Receiver& operator=(Receiver&& other) noexcept;
  /// Closes the endpoint.
  ~Receiver() { close(); }

  /// Receives the oldest value and acknowledges it; blocks while the channel is empty. `ok | timeout`; `invalid` if the
  /// channel was made with `Acknowledge::lease`. `value` is unchanged unless `ok`.
  Status recv(Value& value, TimeLimit limit = forever) noexcept;
  /// Receives the oldest value, or returns `empty`. Blocks for one reply of the server.
  Status recv_nowait(Value& value) noexcept;
  /// Receives up to `values.size()` values that are there together; blocks while the channel is empty. `ok` with at
  /// least one value (or if `values` is empty); else as `recv`, with none.
  Status recv_many(std::span<Value> values, std::size_t& received, TimeLimit limit = forever) noexcept;

  /// Receives the oldest value without acknowledging it; blocks while the channel is empty. Returns what `recv`
  /// returns, in channels of both kinds. A value that is not acknowledged after `ack_wait` is delivered again.
  Status lease(Lease& lease, TimeLimit limit = forever) noexcept;
  /// Receives the oldest value, passes it to `process(ValueView)`, and acknowledges it when that has returned. An
  /// exception of `process` returns the value to the channel and passes through.
  template <class Process>
  Status process(Process&& process, TimeLimit limit = forever) {
    Lease lease;
    const Status status = this->lease(lease, limit);
    if (status != Status::ok) return status;
    std::forward<Process>(process)(lease.value());
    return lease.ack();
  }

  /// Closes this Receiver. The channel keeps its values. Idempotent.
  void close() noexcept;

 private:
  friend class Hub;
  explicit Receiver(std::shared_ptr<internal::ReceiverCore> core) noexcept;
  internal::ReceiverCore* core() const noexcept;
};

/// A connection to a server, or to one of a cluster. A connection that breaks is made again; meanwhile calls wait.
///
/// Names of channels have 1 to 200 letters, digits, '-' and '_'; others are `invalid`. Errors: as Endpoint. Thread
/// safety: any number of threads may use one hub at the same time; moving and destroying it exclude other calls. The
/// functions block for replies of the server, except `connected`, `closed`, `stats` and `bool`.
class XICHAN_API Hub {
 public:
  /// Makes an empty hub.
  Hub() noexcept = default;
  Hub(Hub&&) noexcept = default;
  Hub& operator=(Hub&& other) noexcept;
  /// Closes the hub.
  ~Hub() { close(); }

  /// Returns true unless this hub is empty. A closed one is not empty.
  explicit operator bool() const noexcept { return core_ != nullptr; }
  /// Returns true while the connection is up; false while it is made again.
  bool connected() const noexcept;
  /// Returns true once the hub is closed or empty, or the connection is lost for good.
  bool closed() const noexcept;

  /// Makes a channel, or joins one with the same settings, and opens one endpoint on each side. `ok`; `invalid` for
  /// settings out of range, or if the channel exists with other settings; `closed` if it was shut down and still holds
  /// values. Both endpoints are unchanged unless `ok`.
  Status channel(std::string_view name, const ChannelOptions& options, Sender& sender, Receiver& receiver) noexcept;
  /// Opens a Sender of a channel that exists. `ok | not_found | invalid`; `sender` is unchanged unless `ok`.
  Status sender(std::string_view name, Sender& sender) noexcept;
  /// Opens a Receiver of a channel that exists. `ok | not_found | invalid`; `receiver` is unchanged unless `ok`.
  Status receiver(std::string_view name, Receiver& receiver) noexcept;
  /// Opens a Receiver of the dead letters of a channel. `ok | not_found | invalid`; `receiver` is unchanged unless
  /// `ok`.
  Status dead_letters(std::string_view name, Receiver& receiver) noexcept;
  /// Deletes a channel with its values and dead letters. `ok | not_found | invalid`.
  Status remove(std::string_view name) noexcept;

  /// Stores the state of the hub. `ok | end_closed`.
  Status stats(HubStats& out) const noexcept;
  /// Closes the endpoints of this hub, and the connection. Idempotent.
  void close() noexcept;

 private:
  friend Status connect(std::string_view, const ConnectOptions&, Hub&) noexcept;
  std::shared_ptr<internal::HubCore> core_;
};

/// Connects to a server, or to one of several, separated by commas. Blocks until the connection is made.
/// `ok | unavailable | no_memory`; `invalid` if a URL is empty or has another scheme than nats:// or tls://, or an
/// option is out of range. `hub` is unchanged unless `ok`. Any thread.
XICHAN_API Status connect(std::string_view servers, const ConnectOptions& options, Hub& hub) noexcept;

/// Likewise; returns an empty hub on failure.
inline Hub connect(std::string_view servers = "nats://127.0.0.1:4222", const ConnectOptions& options = {}) noexcept {
  Hub hub;
  (void)connect(servers, options, hub);
  return hub;
}

}  // namespace xichan::nats
