// A value that all interpreters and threads of the process read and replace.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "xichan/state_object.h"

namespace xichan {

/// A handle of a cell: configuration that changes, the latest result, state that is updated. The class Cell in Python.
///
/// Every operation takes effect in one step. Thread safety: that of StateBase. Progress: reads and writes are
/// lock-free; only `wait` blocks.
class XICHAN_API Cell : public StateOf<Cell, StateKind::cell> {
 public:
  /// Makes an empty handle.
  Cell() noexcept = default;
  /// Makes a cell, whose version is 1. `ok | no_memory | arena_full`, `name_taken`, `invalid` for a name that is not
  /// UTF-8. Takes over the value if `ok`, else leaves it and `out` unchanged. An empty `name` stands for none.
  static Status make(Value&& value, Cell& out, std::string_view name = {}) noexcept;

  /// Returns the value, sharing its content: nothing is copied, and it stays valid when the cell's value is replaced.
  Value get() const noexcept;
  /// Likewise; stores the version of that value.
  Value get(std::uint64_t& version) const noexcept;
  /// Returns the version: the number of values that the cell has had.
  std::uint64_t version() const noexcept;

  // The following functions return `ok | end_closed | no_memory | arena_full`, and change nothing unless `ok`.

  /// Replaces the value. Takes it over if `ok`.
  Status set(Value&& value) noexcept;
  /// Replaces the value and stores the previous one.
  Status swap(Value&& value, Value& previous) noexcept;
  /// Replaces the value if its version is still `version`; `done` receives whether it was. Takes over the value only if
  /// `done`.
  Status compare_and_set(std::uint64_t version, Value&& value, bool& done) noexcept;
  /// Replaces the value by the one that `function(ValueView before, Value& after)` stores. If that returns a Status
  /// other than `ok`, or throws, nothing changes, and so does this function. It runs without a lock, and again if
  /// another thread has replaced the value meanwhile, so it should have no side effects.
  template <class Function>
  Status update(Function&& function) {
    for (;;) {
      std::uint64_t version = 0;
      const Value before = get(version);
      if (version == 0) return Status::end_closed;
      Value after;
      bool done = false;
      Status status = function(before.view(), after);
      if (status == Status::ok) status = compare_and_set(version, std::move(after), done);
      if (status != Status::ok || done) return status;
    }
  }

  /// Blocks until the version is other than `version`, and stores that. `ok | end_closed | timeout`; `version` is
  /// unchanged unless `ok`.
  Status wait(std::uint64_t& version, TimeLimit limit = forever) const noexcept;
  /// Likewise; returns `cancelled` once a stop is requested.
  Status wait(std::uint64_t& version, StopRef stop, TimeLimit limit = forever) const noexcept;
};

}  // namespace xichan
