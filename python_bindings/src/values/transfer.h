// Sending moves Buffers and Descriptors: what keeps them while their message is encoded but not sent.
//
// The owner of the content of an object during a send:
//   1. While the value is measured, `Transfer::add` moves the content from the object to a Moved of the Transfer.
//   2. When the message is written, its reference table owns the Moved.
//   3a. The message is sent: `Transfers::sent`. The object has no content from then on.
//   3b. The message is not sent: `Transfers::withdraw` takes the content out before the message is released, and
//       `Transfers::restore` returns it to the object.
//
// With Destination::duplicate the content of a Descriptor is a duplicate, and the object keeps its own.
#pragma once

#include <utility>

#include "base/worklist.h"
#include "value/cell.h"
#include "values/movable.h"

namespace xichan::python {

/// The Buffers and Descriptors of one message. No Python code runs from `add` until the message is written.
///
/// Thread safety: one thread at a time. Attached, except for `withdraw`, which reads no Python object.
class Transfer {
 public:
  Transfer() noexcept = default;
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  /// Returns to the objects the contents that the message does not have.
  ~Transfer();

  struct Entry {
    MovableObject* object;  // owned
    const MovedType* type;
    Moved* moved;   // owned until the message is written
    void* content;  // owned, after `withdraw`
    Cell cell;      // in the message, once it is written
    bool is_written;
    bool is_duplicate;
  };

  bool has(const MovableObject* object) const noexcept { return object->transfer == this; }
  /// Adds an object that `is_movable`, or a duplicate of a Descriptor. Returns 0, or the number of the error.
  [[nodiscard]] int add(MovableObject* object, bool duplicates) noexcept;
  Entry& entry_of(const MovableObject* object) noexcept { return entries_.begin()[object->entry]; }

  void withdraw() noexcept;
  void discard() noexcept {
    for (Entry& entry : entries_) release_content(entry);
  }
  /// The message, and the contents with it, have left the sender.
  void forget() noexcept {
    for (Entry& entry : entries_) entry.moved = nullptr;
    message_ = nullptr;
  }

 private:
  friend class Transfers;

  static void release_content(Entry& entry) noexcept {
    if (entry.content != nullptr) entry.type->release(std::exchange(entry.content, nullptr));
  }

  Worklist<Entry, 4> entries_;
  Block* message_ = nullptr;  // which owns the references; null before it is written, and after `withdraw`
  Transfer* next_ = nullptr;
};

/// The Buffers and Descriptors of messages that are encoded but not sent.
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

  /// Takes over the Transfer of a value that was just encoded. Returns false if it moves nothing or was not encoded.
  bool take(const ModuleState& state, const Cell& message) noexcept;
  bool any() const noexcept { return first_ != nullptr; }
  /// Takes the contents out of a message that was not sent. Any thread, also detached.
  void withdraw(const Cell& message) noexcept {
    if (Transfer* transfer = find(message)) transfer->withdraw();
  }
  /// A message was sent: its objects are empty.
  void sent(const Cell& message) noexcept;
  /// Releases the contents that were withdrawn, for a call that never returns. Any thread, also detached.
  void discard() noexcept;
  /// Returns the contents that were withdrawn to their objects. May run Python code (of weak references).
  void restore() noexcept;

  /// Does the same as `withdraw(message)` for all messages.
  void withdraw() noexcept;
  /// Keeps all messages until `release`, also those that are sent meanwhile.
  void retain() noexcept;
  /// Ends what `retain` has begun, and withdraws the messages before if they were not sent.
  void release(bool were_sent) noexcept;
  /// The messages were released, with the contents in them.
  void forget() noexcept;

 private:
  Transfer* find(const Cell& message) const noexcept;

  Transfer* first_ = nullptr;
};

}  // namespace xichan::python
