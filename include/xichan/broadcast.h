// A channel whose messages each go to all subscribers.
#pragma once

#include <cstdint>
#include <string_view>

#include "xichan/options.h"
#include "xichan/state_object.h"

namespace xichan {

namespace internal {
class Deadline;
class Stop;
}  // namespace internal

/// The options of a broadcast.
struct BroadcastOptions {
  /// The most messages that a subscriber may have left to receive: 1 to 2^32.
  std::uint64_t capacity = 1024;
  /// What a send does while a subscriber has that many left: `block`, or `drop_oldest`, which makes that subscriber
  /// miss the oldest of them.
  Overflow overflow = Overflow::block;
  /// Name under which `Broadcast::lookup` finds it while it lives, in UTF-8; empty for none.
  std::string_view name = {};
};

/// The part of Broadcast and BroadcastSender that describes the channel. Thread safety and progress: those of
/// StateBase; `subscribers` takes a short lock.
class XICHAN_API BroadcastBase : public StateBase {
 public:
  /// Returns the capacity; 0 for an empty handle.
  std::uint64_t capacity() const noexcept;
  Overflow overflow() const noexcept;
  /// Returns the number of subscribers now.
  std::uint64_t subscribers() const noexcept;

 protected:
  BroadcastBase() noexcept = default;
};

/// A handle that sends. Subscribers see the end once all handles of this class, in C++ and Python, are closed. The
/// class BroadcastSender in Python. Thread safety: that of StateBase. Progress: a send takes a short lock.
class XICHAN_API BroadcastSender : public StateOf<BroadcastSender, StateKind::broadcast_sender, BroadcastBase> {
 public:
  /// Makes an empty handle.
  BroadcastSender() noexcept = default;

  /// Sends a value to all that are subscribed now; without subscribers it is dropped. Blocks while the slowest
  /// subscriber has `capacity` messages left, unless `overflow` is `drop_oldest`. `ok | timeout | end_closed |
  /// no_memory | arena_full`. Takes over the value if `ok`, else leaves it unchanged.
  Status send(Value&& value, TimeLimit limit = forever) noexcept;
  /// Likewise; returns `cancelled` once a stop is requested.
  Status send(Value&& value, StopRef stop, TimeLimit limit = forever) noexcept;
  /// Likewise; returns `full` instead of blocking.
  Status send_nowait(Value&& value) noexcept;

 private:
  Status send_by(Value& value, const internal::Deadline* deadline, const internal::Stop* stop) noexcept;
};

/// A handle of one subscription, which receives every message that was sent since it began. `clone` makes a handle of
/// the same subscription: each message goes to one of them. A subscription ends when its last handle is closed. The
/// class BroadcastReceiver in Python.
///
/// Thread safety: one thread at a time; `clone` makes handles for other threads. Progress: receiving is lock-free,
/// except while the call blocks.
class XICHAN_API BroadcastReceiver : public StateOf<BroadcastReceiver, StateKind::broadcast_receiver> {
 public:
  /// Makes an empty handle.
  BroadcastReceiver() noexcept = default;

  /// Receives the next message; blocks until there is one. `ok | timeout | end_closed`. `closed` once all senders are
  /// closed and every message was received. `lagged`, once, if messages were dropped because this subscriber was too
  /// slow: `missed` returns their number, and the next call receives the oldest that is left. `value` is unchanged
  /// unless `ok`.
  Status recv(Value& value, TimeLimit limit = forever) noexcept;
  /// Likewise; returns `cancelled` once a stop is requested.
  Status recv(Value& value, StopRef stop, TimeLimit limit = forever) noexcept;
  /// Likewise; returns `empty` instead of blocking.
  Status recv_nowait(Value& value) noexcept;
  /// Returns the number of messages that were missed when a call last returned `lagged`.
  std::uint64_t missed() const noexcept { return missed_; }
  /// Returns the number of messages that are left to receive.
  std::uint64_t size() const noexcept;

 private:
  Status recv_by(Value& value, const internal::Deadline* deadline, const internal::Stop* stop) noexcept;

  std::uint64_t missed_ = 0;
};

/// A handle that subscribes. The class Broadcast in Python. Thread safety: that of StateBase. Progress: a short lock.
class XICHAN_API Broadcast : public StateOf<Broadcast, StateKind::broadcast, BroadcastBase> {
 public:
  /// Makes an empty handle.
  Broadcast() noexcept = default;

  /// Begins a subscription, which receives every message that is sent from now on. `ok | end_closed | no_memory`.
  Status subscribe(BroadcastReceiver& receiver) noexcept;
  /// Opens another sender. `ok | end_closed`, `closed` if all of them are closed.
  Status sender(BroadcastSender& sender) const noexcept;
};

/// Creates a broadcast. `ok | no_memory | arena_full | name_taken`; `too_large` for a capacity above 2^32; `invalid`
/// for a capacity of 0, `drop_newest`, or a name that is not UTF-8. Both handles are unchanged unless `ok`. Any thread;
/// never blocks.
XICHAN_API Status broadcast(const BroadcastOptions& options, BroadcastSender& sender, Broadcast& subscribe) noexcept;

}  // namespace xichan
