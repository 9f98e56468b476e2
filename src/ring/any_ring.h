// The ring of one channel, of any flavor, and the table of flavors.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <tuple>
#include <type_traits>

#include "ring/lane.h"
#include "ring/mpmc.h"
#include "ring/relaxed.h"
#include "ring/segmented.h"
#include "ring/spsc.h"
#include "value/cell.h"
#include "xichan/flavor.h"

namespace xichan::internal {

/// The ring of a rendezvous channel, which queues nothing. Until it is closed every push returns `full` and every pop
/// `empty`.
class NoRing {
 public:
  bool valid() const noexcept { return true; }
  Status try_push(const Cell&, Lane&) noexcept { return is_closed() ? Status::closed : Status::full; }
  Status try_pop(Cell&) noexcept { return is_closed() ? Status::closed : Status::empty; }
  void close() noexcept { closed_.store(true, memory_order_seq_cst); }
  bool is_closed() const noexcept { return closed_.load(memory_order_seq_cst); }
  bool can_pop() const noexcept { return false; }
  bool can_push() const noexcept { return false; }
  std::uint64_t size() const noexcept { return 0; }
  std::uint64_t capacity() const noexcept { return 0; }
  std::uint64_t pushed() const noexcept { return 0; }

 private:
  atomic<bool> closed_{false};
};

/// The capacities that a flavor supports.
enum class CapacityRule : std::uint8_t { bounded, bounded_or_unbounded, always_unbounded, always_zero };

struct FlavorInfo {
  Flavor flavor;
  const char* name;
  CapacityRule rule;

  constexpr bool has_fixed_capacity() const noexcept {
    return rule == CapacityRule::always_unbounded || rule == CapacityRule::always_zero;
  }
  /// Returns false if the flavor does not support a capacity of 0, or of `unbounded`. A fixed capacity overrides both.
  constexpr bool accepts(std::uint64_t capacity) const noexcept {
    if (has_fixed_capacity()) return true;
    return capacity != 0 && (capacity != xichan::unbounded || rule == CapacityRule::bounded_or_unbounded);
  }
};

template <Ring<Cell> R>
struct FlavorRow {
  FlavorInfo info;
  R (*make)(std::uint64_t capacity) noexcept;
};

/// One row per flavor, in the order of the enumerators: everything else that lists flavors is derived from it.
inline constexpr std::tuple flavor_table{
    FlavorRow<MpmcRing<Cell>>{{Flavor::mpmc, "mpmc", CapacityRule::bounded},
                              [](std::uint64_t capacity) noexcept { return MpmcRing<Cell>(capacity); }},
    FlavorRow<SpscRing<Cell>>{{Flavor::spsc, "spsc", CapacityRule::bounded},
                              [](std::uint64_t capacity) noexcept { return SpscRing<Cell>(capacity); }},
    FlavorRow<SegmentedRing<Cell>>{{Flavor::unbounded, "unbounded", CapacityRule::always_unbounded},
                                   [](std::uint64_t) noexcept { return SegmentedRing<Cell>(); }},
    FlavorRow<RelaxedRing>{{Flavor::relaxed, "relaxed", CapacityRule::bounded_or_unbounded},
                           [](std::uint64_t capacity) noexcept { return RelaxedRing(capacity); }},
    FlavorRow<NoRing>{{Flavor::rendezvous, "rendezvous", CapacityRule::always_zero},
                      [](std::uint64_t) noexcept { return NoRing(); }},
};

inline constexpr std::array flavors =
    std::apply([](const auto&... rows) { return std::array{rows.info...}; }, flavor_table);

static_assert([] {
  for (std::size_t i = 0; i < flavors.size(); ++i) {
    if (flavors[i].flavor != static_cast<Flavor>(i)) return false;
  }
  return true;
}());

constexpr const FlavorInfo& flavor_info(Flavor flavor) noexcept { return flavors[static_cast<std::size_t>(flavor)]; }

/// Memory for one ring of several.
template <class... Rings>
union RingUnion {};
template <class First, class... Rest>
union RingUnion<First, Rest...> {
  RingUnion() noexcept {}
  ~RingUnion() {}

  First first;
  RingUnion<Rest...> rest;
};
template <class... Rings>
RingUnion<Rings...> union_of(const std::tuple<FlavorRow<Rings>...>&);

template <std::size_t Row, class Union>
constexpr auto& ring_at(Union& rings) noexcept {
  if constexpr (Row == 0) {
    return rings.first;
  } else {
    return ring_at<Row - 1>(rings.rest);
  }
}

/// Dispatches to the ring of one flavor. Thread safety and progress: those of that ring.
class AnyRing {
  // Calls `visitor` with the ring, whose flavor is that of `Row` or of a later row.
  template <std::size_t Row = 0, class Self, class Visitor>
  static decltype(auto) visit_row(Self& self, const Visitor& visitor) noexcept {
    if constexpr (Row + 1 < flavors.size()) {
      if (self.flavor_ != flavors[Row].flavor) return visit_row<Row + 1>(self, visitor);
    }
    return visitor(ring_at<Row>(self.ring_));
  }
  template <class Visitor>
  decltype(auto) visit(const Visitor& visitor) noexcept {
    return visit_row(*this, visitor);
  }
  template <class Visitor>
  decltype(auto) visit(const Visitor& visitor) const noexcept {
    return visit_row(*this, visitor);
  }

 public:
  AnyRing(Flavor flavor, std::uint64_t capacity) noexcept : flavor_(flavor) { construct(capacity); }
  AnyRing(const AnyRing&) = delete;
  AnyRing& operator=(const AnyRing&) = delete;
  ~AnyRing() {
    visit([](auto& ring) noexcept { std::destroy_at(&ring); });
  }

  Flavor flavor() const noexcept { return flavor_; }
  /// Returns the ring of a channel that is known to have the flavor mpmc.
  MpmcRing<Cell>& mpmc() noexcept { return ring_at<0>(ring_); }
  /// Returns the ring of a channel that is known to have an unbounded ring.
  SegmentedRing<Cell>& segmented() noexcept { return ring_at<static_cast<std::size_t>(Flavor::unbounded)>(ring_); }

  bool valid() const noexcept {
    return visit([](const auto& ring) noexcept { return ring.valid(); });
  }
  Status try_push(const Cell& item, Lane& lane) noexcept {
    return visit([&](auto& ring) noexcept { return ring.try_push(item, lane); });
  }
  Status try_pop(Cell& item) noexcept {
    return visit([&](auto& ring) noexcept { return ring.try_pop(item); });
  }
  void close() noexcept {
    visit([](auto& ring) noexcept { ring.close(); });
  }
  bool is_closed() const noexcept {
    return visit([](const auto& ring) noexcept { return ring.is_closed(); });
  }
  bool can_pop() const noexcept {
    return visit([](const auto& ring) noexcept { return ring.can_pop(); });
  }
  bool can_push() const noexcept {
    return visit([](const auto& ring) noexcept { return ring.can_push(); });
  }
  std::uint64_t size() const noexcept {
    return visit([](const auto& ring) noexcept { return ring.size(); });
  }
  std::uint64_t capacity() const noexcept {
    return visit([](const auto& ring) noexcept { return ring.capacity(); });
  }
  std::uint64_t pushed() const noexcept {
    return visit([](const auto& ring) noexcept { return ring.pushed(); });
  }
  /// Releases the lane's state in a ring that keeps any. No call may be using the lane.
  void forget(Lane& lane) noexcept {
    visit([&](auto& ring) noexcept {
      if constexpr (requires { ring.forget(lane); }) ring.forget(lane);
    });
  }

 private:
  template <std::size_t Row = 0>
  void construct(std::uint64_t capacity) noexcept {
    if constexpr (Row + 1 < flavors.size()) {
      if (flavor_ != flavors[Row].flavor) return construct<Row + 1>(capacity);
    }
    using R = std::remove_reference_t<decltype(ring_at<Row>(ring_))>;
    new (&ring_at<Row>(ring_)) R(std::get<Row>(flavor_table).make(capacity));
  }

  const Flavor flavor_;
  decltype(union_of(flavor_table)) ring_;
};

}  // namespace xichan::internal
