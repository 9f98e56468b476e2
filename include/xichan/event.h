// A flag that calls wait for.
#pragma once

#include <string_view>

#include "xichan/state_object.h"

namespace xichan {

/// A handle of an event. The class Event in Python. Thread safety: that of StateBase. Progress: all functions but
/// `wait` are lock-free; with waiters, `set` takes a short lock.
class XICHAN_API Event : public StateOf<Event, StateKind::event> {
 public:
  /// Makes an empty handle.
  Event() noexcept = default;
  /// Makes an event that is not set. `ok | no_memory`, `name_taken`, `invalid` for a name that is not UTF-8; `out` is
  /// unchanged unless `ok`. An empty `name` stands for none.
  static Status make(Event& out, std::string_view name = {}) noexcept;

  bool is_set() const noexcept;
  /// Sets the flag, and wakes all calls that wait, also if `clear` follows at once.
  void set() noexcept;
  void clear() noexcept;
  /// Blocks until the flag is set. `ok | timeout | end_closed`.
  Status wait(TimeLimit limit = forever) const noexcept;
  /// Likewise; returns `cancelled` once a stop is requested.
  Status wait(StopRef stop, TimeLimit limit = forever) const noexcept;
};

}  // namespace xichan
