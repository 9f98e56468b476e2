// The ring of one channel, and the table of flavors.
//
// The ring depends on the capacity alone. What `spsc` and `relaxed` promise less than `mpmc` and `unbounded`, no ring
// turns into speed without waiting for a stopped thread (docs/explanation/rings.md), so they use the same two rings.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#include "ring/mpmc.h"
#include "ring/segmented.h"
#include "value/cell.h"
#include "value/line.h"
#include "xichan/flavor.h"

namespace xichan::internal {

/// The ring of a rendezvous channel, which queues nothing. Until it is closed every push returns `full` and every pop
/// `empty`.
class NoRing {
 public:
  bool valid() const noexcept { return true; }
  Status push_at(const Cell&, std::uint64_t&) noexcept { return is_closed() ? Status::closed : Status::full; }
  Status pop_at(Cell&, std::uint64_t&) noexcept { return is_closed() ? Status::closed : Status::empty; }
  void close() noexcept { closed_.store(true, memory_order_seq_cst); }
  bool is_closed() const noexcept { return closed_.load(memory_order_seq_cst); }
  bool can_pop() const noexcept { return false; }
  bool can_push() const noexcept { return false; }
  std::uint64_t size() const noexcept { return 0; }
  std::uint64_t capacity() const noexcept { return 0; }
  std::uint64_t pushed() const noexcept { return 0; }
  std::uint64_t push_version() const noexcept { return 0; }
  std::uint64_t pop_version() const noexcept { return 0; }

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

/// One row per flavor, in the order of the enumerators: everything else that lists flavors is derived from it.
inline constexpr std::array flavors{
    FlavorInfo{Flavor::mpmc, "mpmc", CapacityRule::bounded},
    FlavorInfo{Flavor::spsc, "spsc", CapacityRule::bounded},
    FlavorInfo{Flavor::unbounded, "unbounded", CapacityRule::always_unbounded},
    FlavorInfo{Flavor::relaxed, "relaxed", CapacityRule::bounded_or_unbounded},
    FlavorInfo{Flavor::rendezvous, "rendezvous", CapacityRule::always_zero},
};

static_assert([] {
  for (std::size_t i = 0; i < flavors.size(); ++i) {
    if (flavors[i].flavor != static_cast<Flavor>(i)) return false;
  }
  return true;
}());

constexpr const FlavorInfo& flavor_info(Flavor flavor) noexcept { return flavors[static_cast<std::size_t>(flavor)]; }

/// Dispatches to the ring that a capacity calls for. Thread safety and progress: those of that ring.
class AnyRing {
  enum class Kind : std::uint8_t { mpmc, segmented, none };

  template <class Self, class Visitor>
  static decltype(auto) visit(Self& self, const Visitor& visitor) noexcept {
    switch (self.kind_) {
      case Kind::mpmc: return visitor(self.mpmc_);
      case Kind::segmented: return visitor(self.segmented_);
      default: return visitor(self.none_);
    }
  }

 public:
  /// `capacity` may be 0 or `unbounded`.
  explicit AnyRing(std::uint64_t capacity) noexcept
      : kind_(capacity == 0           ? Kind::none
              : capacity == unbounded ? Kind::segmented
                                      : Kind::mpmc) {
    switch (kind_) {
      case Kind::mpmc: new (&mpmc_) MpmcRing<Cell, Line>(capacity); break;
      case Kind::segmented: new (&segmented_) SegmentedRing<Cell>; break;
      case Kind::none: new (&none_) NoRing; break;
    }
  }
  AnyRing(const AnyRing&) = delete;
  AnyRing& operator=(const AnyRing&) = delete;
  ~AnyRing() {
    visit(*this, [](auto& ring) noexcept { std::destroy_at(&ring); });
  }

  bool is_mpmc() const noexcept { return kind_ == Kind::mpmc; }
  /// Returns the ring if `is_mpmc`.
  MpmcRing<Cell, Line>& mpmc() noexcept { return mpmc_; }
  bool is_segmented() const noexcept { return kind_ == Kind::segmented; }
  /// Returns the ring if `is_segmented`.
  SegmentedRing<Cell>& segmented() noexcept { return segmented_; }

  bool valid() const noexcept {
    return visit(*this, [](const auto& ring) noexcept { return ring.valid(); });
  }
  /// Pushes or pops an item, and stores its position in `at`.
  Status push_at(const Cell& item, std::uint64_t& at) noexcept {
    return visit(*this, [&](auto& ring) noexcept { return ring.push_at(item, at); });
  }
  Status pop_at(Cell& item, std::uint64_t& at) noexcept {
    return visit(*this, [&](auto& ring) noexcept { return ring.pop_at(item, at); });
  }
  /// Returns the number of the item at a position, which counts the items ever pushed.
  std::uint64_t number_of(std::uint64_t at) const noexcept { return is_mpmc() ? mpmc_.number_of(at) : at; }
  /// Pops an item that may have a line.
  Status try_pop(Cell& item, Line& line) noexcept {
    std::uint64_t at;
    return is_mpmc() ? mpmc_.try_pop(item, line) : pop_at(item, at);
  }
  void close() noexcept {
    visit(*this, [](auto& ring) noexcept { ring.close(); });
  }
  bool is_closed() const noexcept {
    return visit(*this, [](const auto& ring) noexcept { return ring.is_closed(); });
  }
  bool can_pop() const noexcept {
    return visit(*this, [](const auto& ring) noexcept { return ring.can_pop(); });
  }
  bool can_push() const noexcept {
    return visit(*this, [](const auto& ring) noexcept { return ring.can_push(); });
  }
  std::uint64_t size() const noexcept {
    return visit(*this, [](const auto& ring) noexcept { return ring.size(); });
  }
  std::uint64_t pushed() const noexcept {
    return visit(*this, [](const auto& ring) noexcept { return ring.pushed(); });
  }
  std::uint64_t push_version() const noexcept {
    return visit(*this, [](const auto& ring) noexcept { return ring.push_version(); });
  }
  std::uint64_t pop_version() const noexcept {
    return visit(*this, [](const auto& ring) noexcept { return ring.pop_version(); });
  }

 private:
  const Kind kind_;
  union {
    MpmcRing<Cell, Line> mpmc_;
    SegmentedRing<Cell> segmented_;
    NoRing none_;
  };
};

}  // namespace xichan::internal
