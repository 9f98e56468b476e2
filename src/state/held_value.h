// An immutable value that a SnapshotPointer points to. It lies in a block of the arena, so it counts against the memory
// limit.
#pragma once

#include <new>

#include "state/snapshot.h"
#include "value/message.h"

namespace xichan::internal {

struct alignas(16) HeldValue : Snapshot {
  explicit HeldValue(const Cell& value) noexcept : cell(value) {}

  std::uint64_t version = 0;
  const Cell cell;

  /// Takes over `value` if the result is `ok`; else `arena_full | no_memory`.
  static Status make(const Cell& value, HeldValue*& out) noexcept {
    Block* block;
    const Status status = Arena::allocate(sizeof(HeldValue), 0, block);
    if (status == Status::ok) out = new (block->body()) HeldValue(value);
    return status;
  }

  /// Releases the value and the memory. Not under a lock.
  static void free(HeldValue* held) noexcept {
    release(held->cell);
    discard(held);
  }
  /// Releases only the memory: the value is the caller's.
  static void discard(HeldValue* held) noexcept { Arena::discard(reinterpret_cast<Block*>(held) - 1); }

  /// Ends the use of a value that `enter` returned.
  static void leave(HeldValue* held) noexcept {
    if (SnapshotPointer<HeldValue>::leave(held)) free(held);
  }
  /// Does the same for a value that was entered by `word`, see `leave_here`.
  static void leave(HeldValue* held, SnapshotPointer<HeldValue>& word) noexcept {
    if (word.leave_here(held)) free(held);
  }
};
static_assert(sizeof(HeldValue) % Block::alignment == 0);

}  // namespace xichan::internal
