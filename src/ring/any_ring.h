// The ring of one channel, of whichever flavor: the one place that tells them apart.
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include "ring/lane.h"
#include "ring/mpmc.h"
#include "ring/relaxed.h"
#include "ring/segmented.h"
#include "ring/spsc.h"
#include "value/cell.h"
#include "xichan/flavor.h"

namespace xichan::internal {

/// Thread safety and progress: those of the ring inside. A rendezvous channel has no ring: its every push answers
/// `full` and its every pop `empty`, until it is closed.
class AnyRing {
  class NoRing {
   public:
    bool valid() const noexcept { return true; }
    Status try_push(const Cell&) noexcept { return is_closed() ? Status::closed : Status::full; }
    Status try_pop(Cell&) noexcept { return is_closed() ? Status::closed : Status::empty; }
    void close() noexcept { closed_.store(true, memory_order_seq_cst); }
    bool is_closed() const noexcept { return closed_.load(memory_order_seq_cst); }
    bool can_pop() const noexcept { return false; }
    bool can_push() const noexcept { return false; }
    std::uint64_t size() const noexcept { return 0; }
    std::uint64_t pushed() const noexcept { return 0; }

   private:
    atomic<bool> closed_{false};
  };

  template <class R>
  static Status push(R& ring, const Cell& item) noexcept {
    if constexpr (requires { ring.try_push(item); }) {
      return ring.try_push(item);
    } else {
      return Status::full;  // the relaxed ring, which was dealt with
    }
  }

  template <class Self, class Visitor>
  static decltype(auto) visit(Self& self, Visitor&& visitor) noexcept {
    switch (self.flavor_) {
      case Flavor::spsc: return visitor(self.spsc_);
      case Flavor::unbounded: return visitor(self.unbounded_);
      case Flavor::relaxed: return visitor(self.relaxed_);
      case Flavor::rendezvous: return visitor(self.none_);
      case Flavor::mpmc: break;
    }
    return visitor(self.mpmc_);
  }
  template <class Visitor>
  decltype(auto) visit(Visitor&& visitor) noexcept {
    return visit(*this, std::forward<Visitor>(visitor));
  }
  template <class Visitor>
  decltype(auto) visit(Visitor&& visitor) const noexcept {
    return visit(*this, std::forward<Visitor>(visitor));
  }

 public:
  AnyRing(Flavor flavor, std::uint64_t capacity) noexcept : flavor_(flavor) {
    switch (flavor) {
      case Flavor::mpmc: new (&mpmc_) MpmcRing<Cell>(capacity); break;
      case Flavor::spsc: new (&spsc_) SpscRing<Cell>(capacity); break;
      case Flavor::unbounded: new (&unbounded_) SegmentedRing<Cell>; break;
      case Flavor::relaxed: new (&relaxed_) RelaxedRing(capacity); break;
      case Flavor::rendezvous: new (&none_) NoRing; break;
    }
  }
  AnyRing(const AnyRing&) = delete;
  AnyRing& operator=(const AnyRing&) = delete;
  ~AnyRing() {
    visit([](auto& ring) noexcept { std::destroy_at(&ring); });
  }

  Flavor flavor() const noexcept { return flavor_; }
  /// The ring of the mpmc flavor, for those who know that it is one.
  MpmcRing<Cell>& mpmc() noexcept { return mpmc_; }

  bool valid() const noexcept {
    return visit([](const auto& ring) noexcept { return ring.valid(); });
  }
  Status try_push(const Cell& item, Lane& lane) noexcept {
    if (flavor_ == Flavor::mpmc) [[likely]]
      return mpmc_.try_push(item);
    if (flavor_ == Flavor::relaxed) return relaxed_.try_push(item, lane);
    return visit([&](auto& ring) noexcept { return push(ring, item); });
  }
  Status try_pop(Cell& item) noexcept {
    if (flavor_ == Flavor::mpmc) [[likely]]
      return mpmc_.try_pop(item);
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
  /// Items ever pushed; what was popped is less by `size`.
  std::uint64_t pushed() const noexcept {
    return visit([](const auto& ring) noexcept { return ring.pushed(); });
  }
  void forget(Lane& lane) noexcept {
    if (flavor_ == Flavor::relaxed) relaxed_.forget(lane);
  }

 private:
  const Flavor flavor_;
  union {
    MpmcRing<Cell> mpmc_;
    SpscRing<Cell> spsc_;
    SegmentedRing<Cell> unbounded_;
    RelaxedRing relaxed_;
    NoRing none_;
  };
};

}  // namespace xichan::internal
