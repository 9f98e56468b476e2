// A 64-bit integer that all interpreters and threads of the process change together.
#pragma once

#include <cstdint>
#include <string_view>

#include "xichan/state_object.h"

namespace xichan {

/// A handle of an integer from -2^63 to 2^63 - 1: a counter, a sequence number, a flag. The class AtomicInt in Python.
///
/// Every operation is one sequentially consistent step. Thread safety: that of StateBase. Progress: wait-free; an `add`
/// of 2^32 or more, or to a value beyond 2^62, is lock-free. Nothing blocks.
class XICHAN_API AtomicInt : public StateOf<AtomicInt, StateKind::atomic_int> {
 public:
  /// Makes an empty handle.
  AtomicInt() noexcept = default;
  /// Makes an integer. `ok | no_memory`, `name_taken`, `invalid` for a name that is not UTF-8; `out` is unchanged
  /// unless `ok`. An empty `name` stands for none.
  static Status make(std::int64_t value, AtomicInt& out, std::string_view name = {}) noexcept;

  /// Returns the value.
  std::int64_t value() const noexcept;
  void set(std::int64_t value) noexcept;
  /// Adds `n` and stores the new value in `sum`. `ok | end_closed`; `too_large` if the sum does not fit in 64 bits, and
  /// then nothing changes.
  Status add(std::int64_t n, std::int64_t& sum) noexcept;
  /// Likewise, without the sum.
  Status add(std::int64_t n = 1) noexcept;
  /// Replaces the value and returns the previous one.
  std::int64_t exchange(std::int64_t value) noexcept;
  /// Replaces the value if it is `expected`. Returns whether it was.
  bool compare_exchange(std::int64_t expected, std::int64_t value) noexcept;
};

}  // namespace xichan
