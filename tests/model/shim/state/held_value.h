// Stands in for src/state/held_value.h in the models: a value comes from the checker's memory, and is checked.
#pragma once

#include "state/snapshot.h"
#include "value/message.h"

namespace xichan::internal {

struct HeldValue : Snapshot {
  explicit HeldValue(const Cell& value) noexcept : cell(value) { memory($) = 1; }

  std::uint64_t version = 0;
  const Cell cell;
  rl::var<int> memory;  // read by each user, written when it is freed

  static Status make(const Cell& value, HeldValue*& out) noexcept {
    out = new HeldValue(value);
    return Status::ok;
  }
  static void free(HeldValue* held) noexcept {
    release(held->cell);
    discard(held);
  }
  static void discard(HeldValue* held) noexcept {
    held->memory($) = 0;
    delete held;
  }
  static void leave(HeldValue* held) noexcept {
    RL_ASSERT(held->memory($) == 1);
    if (SnapshotPointer<HeldValue>::leave(held)) free(held);
  }
  static void leave(HeldValue* held, SnapshotPointer<HeldValue>& word) noexcept {
    RL_ASSERT(held->memory($) == 1);
    if (word.leave_here(held)) free(held);
  }
};

}  // namespace xichan::internal
