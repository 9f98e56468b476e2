// A local channel from the thread of a connection to an interpreter. Every wait of xichan.nats is a receive from a
// mailbox, so the waits of remote endpoints have the properties of local ones: they release the interpreter lock, run
// signal handlers, and end with their interpreter and with the process.
#pragma once

#include <memory>
#include <mutex>

#include "xichan/channel.h"

namespace xichan::nats::internal {

/// The sending side. Thread safety: any thread. Nothing blocks.
class Mailbox {
 public:
  /// Creates a mailbox; stores the value that opens its Receiver. `ok | no_memory | arena_full`. If `capacity` is not
  /// `unbounded`, a full mailbox drops its oldest values.
  static Status create(std::uint64_t capacity, std::shared_ptr<Mailbox>& mailbox, Value& receiver) noexcept;

  /// Sends a value, unless the Receiver is closed.
  void post(Value&& value) noexcept;
  /// Ends the stream: the Receiver raises ChannelClosed after what was posted.
  void close() noexcept;
  /// Returns how many values wait in it.
  std::size_t size() const noexcept;
  /// Returns true if the Receiver is closed, because its interpreter ended or its owner closed it.
  bool is_abandoned() const noexcept;

 private:
  mutable std::mutex mutex_;
  xichan::Sender sender_;
};

}  // namespace xichan::nats::internal
