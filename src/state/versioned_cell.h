// A value that interpreters replace and read together.
//
// Algorithm: a SnapshotPointer to an immutable value with its version. A writer makes the next version of the value it
// has seen, and installs it if that is still the current one.
//
// Waiting calls do not look at the value: reading it may free it, which must not happen under the lock of the queue.
// They wait for the highest version that a writer has announced, after it had replaced the value.
//
// Linearization: a read at the step by which it enters the snapshot, a write at its compare-and-swap. Versions count
// the writes from 1.
//
// Progress: all operations but waits are lock-free. Thread safety: any thread.
#pragma once

#include "state/held_value.h"
#include "state/turnstile.h"

namespace xichan::internal {

class XICHAN_API VersionedCell final : public Turnstile {
 public:
  /// Takes over `value`. Call `add` of StateObjects next.
  explicit VersionedCell(HeldValue* value) noexcept : Turnstile(StateKind::cell, Order::each) {
    value->version = 1;
    current_.store(value);
    announced_.store(1, memory_order_relaxed);
  }
  ~VersionedCell() override;

  /// Returns the version, and stores a cell that owns another reference to the value.
  std::uint64_t get(Cell& out) noexcept;
  std::uint64_t version() noexcept;

  // Take over the cell if the result is `ok`; else `arena_full | no_memory`.
  Status set(const Cell& value) noexcept;
  /// Stores the previous value, which the caller owns then.
  Status swap(const Cell& value, Cell& previous) noexcept;
  /// Takes over the cell only if `done` is set: the version was `version`.
  Status compare_and_set(std::uint64_t version, const Cell& value, bool& done) noexcept;

 private:
  /// Admits a call once a version higher than `request.wanted` is announced, which becomes its answer.
  bool admit(Request& request) noexcept override;
  void announce(std::uint64_t version) noexcept;

  SnapshotPointer<HeldValue> current_;
  atomic<std::uint64_t> announced_;  // never above the version of the value
};

}  // namespace xichan::internal
