// Sending moves Buffers: what keeps them while their message is encoded but not sent.
//
// The owner of the block of a Buffer during a send:
//   1. While the value is measured, `Transfer::add` moves the block from the Buffer to a MovedBuffer of the Transfer.
//   2. When the message is written, its reference table owns the MovedBuffer.
//   3a. The message is sent: `Transfers::sent`. The Buffer has no block from then on.
//   3b. The message is not sent: `Transfers::withdraw` takes the block out before the message is released, and
//       `Transfers::restore` returns it to the Buffer.
#pragma once

#include <utility>

#include "base/worklist.h"
#include "value/cell.h"
#include "values/buffer.h"

namespace xichan::python {

/// The Buffers of one message. No Python code runs from `add` until the message is written.
///
/// Thread safety: one thread at a time. Attached, except for `withdraw`, which reads no Python object.
class Transfer {
 public:
  Transfer() noexcept = default;
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  /// Returns to the Buffers the blocks that the message does not have.
  ~Transfer();

  struct Entry {
    BufferObject* buffer;  // owned
    MovedBuffer* moved;    // owned until the message is written
    Block* block;          // owned, after `withdraw`
    Cell cell;             // in the message, once it is written
    bool is_written;
  };

  bool has(const BufferObject* buffer) const noexcept { return buffer->transfer == this; }
  /// Adds a movable Buffer. Returns false without memory.
  [[nodiscard]] bool add(BufferObject* buffer) noexcept;
  Entry& entry_of(const BufferObject* buffer) noexcept { return entries_.begin()[buffer->entry]; }

  void withdraw() noexcept;
  void discard() noexcept {
    for (Entry& entry : entries_) {
      if (Block* block = std::exchange(entry.block, nullptr)) Arena::release(block);
    }
  }
  /// The message, and the blocks with it, have left the sender.
  void forget() noexcept {
    for (Entry& entry : entries_) entry.moved = nullptr;
    message_ = nullptr;
  }

 private:
  friend class Transfers;

  Worklist<Entry, 4> entries_;
  Block* message_ = nullptr;  // which owns the references; null before it is written, and after `withdraw`
  Transfer* next_ = nullptr;
};

/// The Buffers of messages that are encoded but not sent.
///
/// Thread safety: that of Transfer.
class Transfers {
 public:
  Transfers() noexcept = default;
  Transfers(const Transfers&) = delete;
  Transfers& operator=(const Transfers&) = delete;
  ~Transfers() { restore(); }  // all have been withdrawn or sent

  /// Takes over what another object has, which must be empty itself.
  void adopt(Transfers& other) noexcept { first_ = std::exchange(other.first_, nullptr); }

  /// Takes over the Transfer of a value that was just encoded. Returns false if it has no Buffers or was not encoded.
  bool take(const ModuleState& state, const Cell& message) noexcept;
  bool any() const noexcept { return first_ != nullptr; }
  /// Takes the blocks out of a message that was not sent. Any thread, also detached.
  void withdraw(const Cell& message) noexcept {
    if (Transfer* transfer = find(message)) transfer->withdraw();
  }
  /// A message was sent: its Buffers are empty.
  void sent(const Cell& message) noexcept;
  /// Releases the blocks that were withdrawn, for a call that never returns. Any thread, also detached.
  void discard() noexcept;
  /// Returns the blocks that were withdrawn to their Buffers. May run Python code (of weak references).
  void restore() noexcept;

  /// Does the same as `withdraw(message)` for all messages.
  void withdraw() noexcept;
  /// Keeps all messages until `release`, also those that are sent meanwhile.
  void retain() noexcept;
  /// Ends what `retain` has begun, and withdraws the messages before if they were not sent.
  void release(bool were_sent) noexcept;
  /// The messages were released, with the blocks in them.
  void forget() noexcept;

 private:
  Transfer* find(const Cell& message) const noexcept;

  Transfer* first_ = nullptr;
};

}  // namespace xichan::python
