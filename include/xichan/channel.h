// Channels from C++: the same channels that the Python interpreters of this process use, without an interpreter lock.
//
// A thread that is attached to an interpreter must not block here, because it would stop that interpreter's other
// threads. Detach first (Py_BEGIN_ALLOW_THREADS), or use the calls that never block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "xichan/export.h"
#include "xichan/options.h"
#include "xichan/status.h"
#include "xichan/stop.h"
#include "xichan/time_limit.h"
#include "xichan/value.h"

namespace xichan {

namespace internal {
class Channel;
class Deadline;
struct EndpointAccess;
struct Lane;
class Readiness;
class Stop;
}  // namespace internal

/// Identifies a channel. All its endpoints share the id, and no other channel ever has it. In Python the id is one int
/// whose lower 64 bits are `low`.
struct Id {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  friend bool operator==(const Id&, const Id&) = default;
};

/// Owns one counted endpoint of a channel; the part of Sender and Receiver that does not depend on the side.
///
/// Thread safety: one thread at a time per endpoint; `clone` makes endpoints for other threads. Only `wait_closed`
/// blocks. In the child of a fork, an endpoint of the parent behaves as if it were closed.
class XICHAN_API EndpointBase {
 public:
  /// Returns true if this endpoint belongs to a channel and has not been closed.
  explicit operator bool() const noexcept { return channel_ != nullptr; }
  /// Returns the channel's id; all zero for an empty endpoint.
  Id id() const noexcept;
  /// Returns how many values the channel holds at most: 0 for a rendezvous or an empty endpoint, or `unbounded`.
  std::uint64_t capacity() const noexcept;
  /// Returns the bound on the bytes of queued values, or 0 if there is none.
  std::uint64_t max_bytes() const noexcept;
  Flavor flavor() const noexcept;
  /// Returns the name that the channel was created with, or an empty one. Valid while this endpoint is open.
  std::string_view name() const noexcept;
  /// Returns the number of queued values.
  std::uint64_t size() const noexcept;
  /// Returns the channel's counters; all zero for an empty endpoint.
  ChannelStats stats() const noexcept;
  /// Closes the channel for all endpoints. Senders get `closed` from now on; receivers get it once they have drained
  /// the queue. `immediate` discards the queue instead.
  void shutdown(bool immediate = false) noexcept;
  /// Does the same with an error: calls that would get `closed` get `failed`. An error that is already recorded is
  /// kept. The channel holds the error as long as it lives.
  void shutdown(bool immediate, Value&& error) noexcept;
  /// Blocks until the channel is closed: all Senders or all Receivers are closed, or it was shut down. Receivers may
  /// still drain it. `ok | timeout | end_closed`.
  Status wait_closed(TimeLimit limit = forever) const noexcept;

 protected:
  friend struct internal::EndpointAccess;
  friend class SelectCase;

  EndpointBase() noexcept = default;
  explicit EndpointBase(internal::Channel* channel) noexcept;
  EndpointBase(EndpointBase&& other) noexcept;
  ~EndpointBase() = default;
  void swap(EndpointBase& other) noexcept;
  bool usable() const noexcept;

  // Makes the descriptor unreadable after an attempt that was not possible. Returns true if another one may succeed.
  bool arm(std::uint64_t cost) noexcept;

  internal::Channel* channel_ = nullptr;
  internal::Lane* lane_ = nullptr;
  internal::Readiness* readiness_ = nullptr;  // of `descriptor`
};

/// The operations that Sender and Receiver share. `Endpoint` is Sender or Receiver.
template <class Endpoint>
class XICHAN_API EndpointOf : public EndpointBase {
 public:
  /// Opens another endpoint of this side, for another thread. `ok | end_closed | no_memory`; `invalid` for an spsc
  /// channel, which has one endpoint on each side. `endpoint` is unchanged unless `ok`.
  Status clone(Endpoint& endpoint) const noexcept;
  /// Likewise; returns an empty endpoint on failure.
  Endpoint clone() const noexcept;
  /// Returns true if this endpoint can do nothing more: it was closed, the channel was shut down, or the other side is
  /// finished (for a Receiver: and the queue is drained).
  bool closed() const noexcept;
  /// Releases this endpoint. Idempotent; never blocks. Closing the last Sender ends the channel for its receivers;
  /// closing the last Receiver closes the channel and discards the queue.
  void close() noexcept;
  /// Does the same and makes the other side fail: once all endpoints of this side are closed, and receivers have
  /// drained the queue, calls there return `failed`. The first error is kept; after a shutdown none is recorded. The
  /// channel holds the error as long as it lives, so it should not contain an endpoint of that channel.
  void close(Value&& error) noexcept;
  /// Returns the error of a channel whose calls return `failed` on this side. Returns a None value if there is no
  /// error, or if there was no memory to keep it. An exception from Python is a tuple that starts with the name of its
  /// type, its message and its traceback, all text.
  Value error() const noexcept;

  /// Returns a descriptor for event loops (poll, epoll, Asio), or -1 if this endpoint is closed or descriptors or
  /// memory are exhausted. It becomes readable when this endpoint may have become ready: make calls that do not block
  /// until one returns `empty` or `full`, which makes it unreadable again. Valid until this endpoint is closed, which
  /// closes it.
  int descriptor() noexcept;

  /// Opens another endpoint of the channel with this id. `ok | no_memory`; `not_found` if no channel has this id, or
  /// if all endpoints of this side have been closed. `endpoint` is unchanged unless `ok`.
  static Status from_id(Id id, Endpoint& endpoint) noexcept;
  /// Likewise; returns an empty endpoint on failure.
  static Endpoint from_id(Id id) noexcept;
  /// Opens another endpoint of the channel with this name; blocks until one exists.
  /// `ok | not_found | no_memory`; `endpoint` is unchanged unless `ok`.
  static Status lookup(std::string_view name, Endpoint& endpoint, TimeLimit limit = Timeout::zero()) noexcept;
  /// Likewise; returns `cancelled` once a stop is requested.
  static Status lookup(std::string_view name, Endpoint& endpoint, StopRef stop, TimeLimit limit = forever) noexcept;

  /// Makes a value that holds another endpoint of this side. The value can be sent, alone or inside a tuple; its
  /// receiver opens the endpoint. `ok | end_closed | no_memory | arena_full`; `value` is unchanged unless `ok`.
  Status as_value(Value& value) const noexcept;
  /// Opens another endpoint of the channel from a value that `as_value` of the same side made.
  /// `ok | not_found | no_memory`. Anything other than such a value is `not_found`, and so is a value from before a
  /// fork. `endpoint` is unchanged unless `ok`.
  static Status open(ValueView value, Endpoint& endpoint) noexcept;

 protected:
  EndpointOf() noexcept = default;
  explicit EndpointOf(internal::Channel* channel) noexcept;
  EndpointOf(EndpointOf&& other) noexcept = default;
  EndpointOf& operator=(EndpointOf&& other) noexcept;
  ~EndpointOf() { close(); }

 private:
  static Status find(std::string_view name, Endpoint& endpoint) noexcept;
};

class Receiver;
class SelectCase;
class Sender;

extern template class EndpointOf<Sender>;
extern template class EndpointOf<Receiver>;

/// The sending endpoint. A call on an endpoint that is empty or closed returns `end_closed`. Where a call returns
/// `closed`, it returns `failed` if the last Receiver, or the shutdown, left an error; `error()` returns that.
///
/// The first send to an spsc channel claims the sending side for this endpoint until it is closed; meanwhile calls on
/// other senders return `claimed`. Thread safety: as EndpointBase. The calls that block are documented as such.
class XICHAN_API Sender : public EndpointOf<Sender> {
 public:
  /// Makes an empty endpoint.
  Sender() noexcept = default;

  /// Sends a value; blocks while the channel is full. `ok | closed | timeout | end_closed | claimed | no_memory`;
  /// `too_large` for a value over the channel's `max_bytes`. Takes over the value if `ok`, else leaves it unchanged.
  Status send(Value&& value, TimeLimit limit = forever) noexcept;
  /// Likewise; returns `cancelled` once a stop is requested.
  Status send(Value&& value, StopRef stop, TimeLimit limit = forever) noexcept;
  /// Sends a value without ever blocking, not even on a thread that was stopped inside a call. Returns `full` where
  /// `send` would block.
  Status send_nowait(Value&& value) noexcept;
  /// Sends the values in order; blocks while the channel is full. Returns `ok` once all are sent, else the status of
  /// the first value that was not. `sent` receives the number of values sent. Those are now none; the others are
  /// unchanged. The limit covers the whole call.
  Status send_many(std::span<Value> values, std::size_t& sent, TimeLimit limit = forever) noexcept;
  /// Likewise; returns `cancelled` once a stop is requested.
  Status send_many(std::span<Value> values, std::size_t& sent, StopRef stop, TimeLimit limit = forever) noexcept;

 private:
  friend class EndpointOf<Sender>;
  friend Status channel(const ChannelOptions&, Sender&, Receiver&) noexcept;
  explicit Sender(internal::Channel* channel) noexcept : EndpointOf(channel) {}
  Status send_all(std::span<Value> values, std::size_t& sent, internal::Deadline deadline,
                  const internal::Stop* stop) noexcept;
};

/// The receiving endpoint. A call on an endpoint that is empty or closed returns `end_closed`. Where a call returns
/// `closed`, it returns `failed` if a Sender, or the shutdown, left an error; `error()` returns that.
///
/// The first receive from an spsc channel claims the receiving side for this endpoint until it is closed; meanwhile
/// calls on other receivers return `claimed`. Thread safety: as EndpointBase. The calls that block are documented as
/// such.
class XICHAN_API Receiver : public EndpointOf<Receiver> {
 public:
  /// Makes an empty endpoint.
  Receiver() noexcept = default;

  /// Receives the oldest value; blocks while the channel is empty.
  /// `ok | closed | timeout | end_closed | claimed | no_memory | arena_full`; `value` is unchanged unless `ok`. Without
  /// memory a value that Python has sent without a block stays in the channel.
  Status recv(Value& value, TimeLimit limit = forever) noexcept;
  /// Likewise; returns `cancelled` once a stop is requested.
  Status recv(Value& value, StopRef stop, TimeLimit limit = forever) noexcept;
  /// Receives a value without ever blocking, not even on a thread that was stopped inside a call. Returns `empty` where
  /// `recv` would block.
  Status recv_nowait(Value& value) noexcept;
  /// Receives the oldest value, blocking while the channel is empty, and then up to `values.size()` values in total
  /// without blocking again. `ok` with at least one value (or if `values` is empty); else as `recv`, with none.
  Status recv_many(std::span<Value> values, std::size_t& received, TimeLimit limit = forever) noexcept;
  /// Likewise; returns `cancelled` once a stop is requested.
  Status recv_many(std::span<Value> values, std::size_t& received, StopRef stop, TimeLimit limit = forever) noexcept;
  /// Passes the values that are queued now to `take(Value&&)`, oldest first, and returns their number. Never blocks.
  template <class Take>
  std::size_t drain(Take&& take) {
    std::size_t count = 0;
    Value value;
    for (std::uint64_t left = pending(); left > 0 && recv_nowait(value) == Status::ok; --left) {
      ++count;
      take(std::move(value));
    }
    return count;
  }

 private:
  friend class EndpointOf<Receiver>;
  friend Status channel(const ChannelOptions&, Sender&, Receiver&) noexcept;
  explicit Receiver(internal::Channel* channel) noexcept : EndpointOf(channel) {}
  Status wait(Value& value, internal::Deadline deadline, const internal::Stop* stop) noexcept;
  void recv_rest(std::span<Value> values, std::size_t& received) noexcept;
  // Returns the number of queued values plus those that blocked senders hold.
  std::uint64_t pending() const noexcept;
};

/// Creates a channel and opens one endpoint on each side. `ok | name_taken | no_memory | arena_full`; `too_large` for a
/// capacity out of range; `invalid` for a capacity that the flavor or `overflow` does not support, or a name that is
/// not UTF-8. Both endpoints are unchanged unless `ok`. Any thread; never blocks.
XICHAN_API Status channel(const ChannelOptions& options, Sender& sender, Receiver& receiver) noexcept;

/// Creates a channel with the default options and this capacity.
inline Status channel(std::uint64_t capacity, Sender& sender, Receiver& receiver) noexcept {
  return channel(ChannelOptions{.capacity = capacity}, sender, receiver);
}

}  // namespace xichan
