// Channels from C++: the same channels that Python interpreters in this process use, without any interpreter lock.
#pragma once

#include <chrono>
#include <cstdint>

#include "xichan/export.h"
#include "xichan/status.h"
#include "xichan/value.h"

namespace xichan {

class Channel;
struct Lane;

/// How long a call may wait.
using Timeout = std::chrono::nanoseconds;
inline constexpr Timeout forever = Timeout::max();

/// The number that all ends of a channel share, and no other channel ever.
struct Id {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  friend bool operator==(const Id&, const Id&) = default;
};

/// What Sender and Receiver have in common: one counted end, given back when it is closed or destroyed.
///
/// Thread safety: one thread at a time for one end; `clone` makes ends for other threads.
class XICHAN_API EndBase {
 public:
  explicit operator bool() const noexcept { return channel_ != nullptr; }
  Id id() const noexcept;
  std::uint64_t capacity() const noexcept;
  /// Values queued now.
  std::uint64_t size() const noexcept;
  /// Closes the channel for every end; `immediate` discards what is queued. Never blocks.
  void shutdown(bool immediate = false) noexcept;

 protected:
  EndBase() noexcept = default;
  explicit EndBase(Channel* channel) noexcept;
  EndBase(EndBase&& other) noexcept;
  ~EndBase() = default;
  void swap(EndBase& other) noexcept;

  Channel* channel_ = nullptr;
  Lane* lane_ = nullptr;
};

/// The sending end. A call on an end that is empty or was closed answers `end_closed`.
class XICHAN_API Sender : public EndBase {
 public:
  Sender() noexcept = default;
  Sender(Sender&& other) noexcept = default;
  Sender& operator=(Sender&& other) noexcept;
  ~Sender() { close(); }

  /// Puts the value into the channel, sleeping while it is full: `ok | closed | timeout | end_closed`. Takes over the
  /// value if `ok`, else leaves it as it was.
  Status send(Value&& value, Timeout timeout = forever) noexcept;
  /// Never waits: `ok | full | closed | end_closed`.
  Status send_nowait(Value&& value) noexcept;

  /// An empty Sender if this one is, or there is no memory.
  Sender clone() const noexcept;
  /// Closed, or the channel shut down or finished for this side.
  bool closed() const noexcept;
  /// Gives this end back; the last one of its side ends the channel for the receivers. Idempotent, never blocks.
  void close() noexcept;
  /// Opens one more end of the channel with this id; an empty Sender if there is none.
  static Sender from_id(Id id) noexcept;

 private:
  friend Status channel(std::uint64_t, Sender&, class Receiver&) noexcept;
  explicit Sender(Channel* channel) noexcept;
};

/// The receiving end. A call on an end that is empty or was closed answers `end_closed`.
class XICHAN_API Receiver : public EndBase {
 public:
  Receiver() noexcept = default;
  Receiver(Receiver&& other) noexcept = default;
  Receiver& operator=(Receiver&& other) noexcept;
  ~Receiver() { close(); }

  /// Takes the oldest value, sleeping while there is none: `ok | closed | timeout | end_closed`.
  Status recv(Value& value, Timeout timeout = forever) noexcept;
  /// Never waits: `ok | empty | closed | end_closed`.
  Status recv_nowait(Value& value) noexcept;

  /// An empty Receiver if this one is, or there is no memory.
  Receiver clone() const noexcept;
  /// Closed, or the channel shut down or finished for this side.
  bool closed() const noexcept;
  void close() noexcept;
  static Receiver from_id(Id id) noexcept;

 private:
  friend Status channel(std::uint64_t, Sender&, Receiver&) noexcept;
  explicit Receiver(Channel* channel) noexcept;
};

/// Makes a bounded channel of exactly `capacity` values, from 1 to 2^24: `ok | too_large | no_memory`.
XICHAN_API Status channel(std::uint64_t capacity, Sender& sender, Receiver& receiver) noexcept;

}  // namespace xichan
