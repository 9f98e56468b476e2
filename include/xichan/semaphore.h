// A counter that calls take from, and that blocks them at zero.
#pragma once

#include <cstdint>
#include <string_view>

#include "xichan/state_object.h"

namespace xichan {

/// A handle of a semaphore. It has no owner: what was acquired stays acquired until it is released, also when the
/// interpreter that acquired it ends. The class Semaphore in Python.
///
/// Calls acquire it in the order in which they began to wait. Thread safety: that of StateBase. Progress: one step if
/// the value is not zero, or no call waits; otherwise a short lock.
class XICHAN_API Semaphore : public StateOf<Semaphore, StateKind::semaphore> {
 public:
  /// Makes an empty handle.
  Semaphore() noexcept = default;
  /// Makes a semaphore with this value. `ok | no_memory`, `name_taken`, `invalid` for a name that is not UTF-8,
  /// `too_large` for a value above 2^63 - 1; `out` is unchanged unless `ok`. An empty `name` stands for none.
  static Status make(std::uint64_t value, Semaphore& out, std::string_view name = {}) noexcept;

  /// Takes 1 from the value; blocks while it is zero. `ok | timeout | end_closed`. With a limit of zero it never
  /// blocks.
  Status acquire(TimeLimit limit = forever) noexcept;
  /// Likewise; returns `cancelled` once a stop is requested.
  Status acquire(StopRef stop, TimeLimit limit = forever) noexcept;
  /// Adds `n` to the value. `ok | end_closed`; `too_large` if it would exceed 2^63 - 1, and then nothing changes. Never
  /// blocks.
  Status release(std::uint64_t n = 1) noexcept;
  /// Returns the value.
  std::uint64_t value() const noexcept;
};

}  // namespace xichan
