// Stands in for src/ring/relaxed.h in the models of the channel: no model uses that flavor, whose queue is third-party.
#pragma once

#include <cstdint>

#include "ring/lane.h"
#include "ring/ring.h"
#include "value/cell.h"

namespace xichan::internal {

class RelaxedRing {
 public:
  explicit RelaxedRing(std::uint64_t) noexcept {}

  bool valid() const noexcept { return false; }
  Status try_push(const Cell&, Lane&) noexcept { return Status::closed; }
  Status try_pop(Cell&) noexcept { return Status::closed; }
  void forget(Lane&) noexcept {}
  void close() noexcept {}
  bool is_closed() const noexcept { return true; }
  bool can_pop() const noexcept { return false; }
  bool can_push() const noexcept { return false; }
  std::uint64_t size() const noexcept { return 0; }
  std::uint64_t capacity() const noexcept { return 0; }
  std::uint64_t pushed() const noexcept { return 0; }
};

static_assert(Ring<RelaxedRing, Cell>);

}  // namespace xichan::internal
