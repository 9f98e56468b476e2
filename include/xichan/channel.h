// Channels from C++: the same channels that Python interpreters in this process use, without any interpreter lock.
//
// A thread that is attached to an interpreter must not wait here: it would keep that interpreter's other threads from
// running. Detach first (Py_BEGIN_ALLOW_THREADS), or use the calls that never wait.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "xichan/export.h"
#include "xichan/options.h"
#include "xichan/status.h"
#include "xichan/value.h"

namespace xichan {

namespace internal {
class Channel;
struct Lane;
}  // namespace internal

/// How long a call may wait, in nanoseconds of the monotonic clock; what is negative counts as zero.
using Timeout = std::chrono::nanoseconds;
/// The time-out of a call that waits until it is decided.
inline constexpr Timeout forever = Timeout::max();

/// The number that all ends of a channel share, and no other channel ever. In Python it is one int, `low` its lower 64
/// bits.
struct Id {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  friend bool operator==(const Id&, const Id&) = default;
};

/// What Sender and Receiver have in common: one counted end, given back when it is closed or destroyed.
///
/// Thread safety: one thread at a time for one end; `clone` makes ends for other threads. Progress: nothing here waits.
/// In the child of a fork an end of the parent's is as one that was closed.
class XICHAN_API EndpointBase {
 public:
  /// Whether it is an end of a channel, and was not closed.
  explicit operator bool() const noexcept { return channel_ != nullptr; }
  /// Of an empty end: all zero.
  Id id() const noexcept;
  /// Values that the channel holds at the most: 0 for a rendezvous, or an empty end; or `unbounded`.
  std::uint64_t capacity() const noexcept;
  /// The bound in bytes, or 0.
  std::uint64_t max_bytes() const noexcept;
  Flavor flavor() const noexcept;
  /// The name that the channel was made with, or empty. Valid while this end is open.
  std::string_view name() const noexcept;
  /// Values queued now.
  std::uint64_t size() const noexcept;
  /// Of an empty end: all zero.
  ChannelStats stats() const noexcept;
  /// Closes the channel for every end: senders are told `closed`, and receivers when they have drained what is queued;
  /// `immediate` discards that.
  void shutdown(bool immediate = false) noexcept;

 protected:
  friend class SelectCase;

  EndpointBase() noexcept = default;
  explicit EndpointBase(internal::Channel* channel) noexcept;
  EndpointBase(EndpointBase&& other) noexcept;
  ~EndpointBase() = default;
  void swap(EndpointBase& other) noexcept;
  bool usable() const noexcept;

  internal::Channel* channel_ = nullptr;
  internal::Lane* lane_ = nullptr;
};

class Receiver;
class SelectCase;

/// The sending end. A call on an end that is empty or was closed answers `end_closed`.
///
/// Sending to an spsc channel makes that side this end's until it is closed; meanwhile others are told `claimed`.
/// Thread safety and progress: as EndpointBase; the calls that wait say so.
class XICHAN_API Sender : public EndpointBase {
 public:
  /// An empty one.
  Sender() noexcept = default;
  Sender(Sender&& other) noexcept = default;
  Sender& operator=(Sender&& other) noexcept;
  ~Sender() { close(); }

  /// Puts the value into the channel, sleeping while it is full: `ok | closed | timeout | end_closed`; `claimed`;
  /// `too_large` for a value over the channel's `max_bytes`; `no_memory`. Takes over the value if `ok`, else leaves it
  /// as it was.
  Status send(Value&& value, Timeout timeout = forever) noexcept;
  /// Never waits, not even for a thread that was stopped inside a call: `full` in place of `timeout`.
  Status send_nowait(Value&& value) noexcept;
  /// Sends the values in their order, sleeping while the channel is full, until all are sent (`ok`) or one is not: the
  /// answer for that one. `sent` of them have gone, and are none; the others are as they were. The time-out is for the
  /// whole call.
  Status send_many(std::span<Value> values, std::size_t& sent, Timeout timeout = forever) noexcept;

  /// A further end of the channel, for another thread. Empty if this one is, there is no memory, or the channel is
  /// spsc.
  Sender clone() const noexcept;
  /// Closed, or the channel shut down or finished for this side: nothing can be sent any more.
  bool closed() const noexcept;
  /// Gives this end back; the last one of its side ends the channel for the receivers. Idempotent, never waits.
  void close() noexcept;

  /// Opens a further end of the channel with this id; an empty Sender if there is none, or all its
  /// Senders have gone.
  static Sender from_id(Id id) noexcept;
  /// Opens a further end of the channel of that name, sleeping until there is one: `ok | not_found | no_memory`, with
  /// `sender` as it was.
  static Status lookup(std::string_view name, Sender& sender, Timeout timeout = Timeout::zero()) noexcept;

  /// Makes a value that holds a further end of this channel: it can be sent, alone or in a tuple, and whoever receives
  /// it opens an end there. `ok | end_closed | no_memory | arena_full`, with `value` as it was.
  Status as_value(Value& value) const noexcept;
  /// Opens a further end of the channel whose Sender a value is: `ok | not_found` if it is none, or of the process
  /// before a fork, `| no_memory`, with `sender` as it was.
  static Status open(ValueView value, Sender& sender) noexcept;

 private:
  friend Status channel(const ChannelOptions&, Sender&, Receiver&) noexcept;
  explicit Sender(internal::Channel* channel) noexcept;
};

/// The receiving end. A call on an end that is empty or was closed answers `end_closed`.
///
/// Receiving from an spsc channel makes that side this end's until it is closed; meanwhile others are told `claimed`.
/// Thread safety and progress: as EndpointBase; the calls that wait say so.
class XICHAN_API Receiver : public EndpointBase {
 public:
  /// An empty one.
  Receiver() noexcept = default;
  Receiver(Receiver&& other) noexcept = default;
  Receiver& operator=(Receiver&& other) noexcept;
  ~Receiver() { close(); }

  /// Takes the oldest value, sleeping while there is none: `ok | closed | timeout | end_closed`; `claimed`;
  /// `no_memory`. `value` is as it was unless `ok`.
  Status recv(Value& value, Timeout timeout = forever) noexcept;
  /// Never waits, not even for a thread that was stopped inside a call: `empty` in place of `timeout`.
  Status recv_nowait(Value& value) noexcept;
  /// Takes the oldest value, sleeping while there is none, and up to `values.size()` that are there by then, without
  /// waiting for more. `ok` with at least one (or for no room at all); else as `recv`, with none.
  Status recv_many(std::span<Value> values, std::size_t& received, Timeout timeout = forever) noexcept;
  /// Hands the values that are there now to `take(Value&&)`, oldest first, and returns how many there were. Never
  /// waits.
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

  /// A further end of the channel, for another thread. Empty if this one is, there is no memory, or the channel is
  /// spsc.
  Receiver clone() const noexcept;
  /// Closed, or the channel shut down, or finished for this side: all Senders closed, and drained.
  bool closed() const noexcept;
  /// Gives this end back; the last one of its side closes the channel and discards what is queued. Idempotent, never
  /// waits.
  void close() noexcept;

  /// Opens a further end of the channel with this id; an empty Receiver if there is none, or all its
  /// Receivers have gone.
  static Receiver from_id(Id id) noexcept;
  /// As Sender::lookup.
  static Status lookup(std::string_view name, Receiver& receiver, Timeout timeout = Timeout::zero()) noexcept;

  /// As Sender::as_value.
  Status as_value(Value& value) const noexcept;
  /// As Sender::open.
  static Status open(ValueView value, Receiver& receiver) noexcept;

 private:
  friend Status channel(const ChannelOptions&, Sender&, Receiver&) noexcept;
  explicit Receiver(internal::Channel* channel) noexcept;
  // Values queued, and those that senders wait with.
  std::uint64_t pending() const noexcept;
};

/// Makes a channel and opens one end on each side: `ok`; `too_large` for a capacity out of range; `invalid` for a
/// flavor that cannot have it, or a name that is no UTF-8; `name_taken`; `no_memory`. Unless `ok` both ends are as
/// they were. Any thread; never waits.
XICHAN_API Status channel(const ChannelOptions& options, Sender& sender, Receiver& receiver) noexcept;

/// The same, with nothing but a capacity.
inline Status channel(std::uint64_t capacity, Sender& sender, Receiver& receiver) noexcept {
  return channel(ChannelOptions{.capacity = capacity}, sender, receiver);
}

}  // namespace xichan
