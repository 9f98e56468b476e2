// Where a number of threads wait until all of them have arrived.
#pragma once

#include <cstdint>
#include <string_view>

#include "xichan/state_object.h"

namespace xichan {

/// A handle of a barrier. The class Barrier in Python.
///
/// A call that ends before all have arrived breaks the barrier: by its time limit, a stop, or the end of its
/// interpreter. Then all calls of the round, and later ones, return `broken` until `reset`. Thread safety: that of
/// StateBase. Progress: a short lock.
class XICHAN_API Barrier : public StateOf<Barrier, StateKind::barrier> {
 public:
  /// Makes an empty handle.
  Barrier() noexcept = default;
  /// Makes a barrier for this number of calls, which wait for at most `limit`. `ok | no_memory`, `name_taken`,
  /// `invalid` for no parties or a name that is not UTF-8; `out` is unchanged unless `ok`. An empty `name` stands for
  /// none.
  static Status make(std::uint64_t parties, Barrier& out, TimeLimit limit = forever,
                     std::string_view name = {}) noexcept;

  /// Blocks until all have arrived, and stores the number of calls of the round that arrived before. `ok | broken |
  /// end_closed`; `timeout` if this call breaks the barrier. Without a limit, that of the barrier counts.
  Status wait(std::uint64_t& index, TimeLimit limit = forever) noexcept;
  /// Likewise; returns `cancelled` once a stop is requested, and breaks the barrier then.
  Status wait(std::uint64_t& index, StopRef stop, TimeLimit limit = forever) noexcept;
  /// Waits without storing a number.
  Status wait(TimeLimit limit = forever) noexcept {
    std::uint64_t index;
    return wait(index, limit);
  }

  /// Makes a broken barrier usable. A round that has begun ends, and its calls return `broken`.
  void reset() noexcept;
  /// Breaks the barrier.
  void abort() noexcept;
  std::uint64_t parties() const noexcept;
  /// Returns the number of calls that wait for the others.
  std::uint64_t arrived() const noexcept;
  bool broken() const noexcept;
};

}  // namespace xichan
