// Stands in for src/ring/any_ring.h in the models of the channel: the two flavours that are modelled. The others have
// rings of their own, which keep the contract of src/ring/ring.h; the protocol around them is the same.
#pragma once

#include <cstdint>
#include <memory>
#include <new>

#include "base/atomic.h"
#include "ring/lane.h"
#include "ring/mpmc.h"
#include "value/cell.h"
#include "xichan/flavor.h"

namespace xichan {

class AnyRing {
 public:
  AnyRing(Flavor flavor, std::uint64_t capacity) noexcept : flavor_(flavor) {
    closed_.store(false, memory_order_relaxed);
    if (has_ring()) new (&mpmc_) MpmcRing<Cell>(capacity);
  }
  AnyRing(const AnyRing&) = delete;
  AnyRing& operator=(const AnyRing&) = delete;
  ~AnyRing() {
    if (has_ring()) std::destroy_at(&mpmc_);
  }

  Flavor flavor() const noexcept { return flavor_; }
  MpmcRing<Cell>& mpmc() noexcept { return mpmc_; }

  bool valid() const noexcept { return !has_ring() || mpmc_.valid(); }
  Status try_push(const Cell& item, Lane&) noexcept {
    if (has_ring()) return mpmc_.try_push(item);
    return is_closed() ? Status::closed : Status::full;
  }
  Status try_pop(Cell& item) noexcept {
    if (has_ring()) return mpmc_.try_pop(item);
    return is_closed() ? Status::closed : Status::empty;
  }
  void close() noexcept { has_ring() ? mpmc_.close() : closed_.store(true, memory_order_seq_cst); }
  bool is_closed() const noexcept { return has_ring() ? mpmc_.is_closed() : closed_.load(memory_order_seq_cst); }
  bool can_pop() const noexcept { return has_ring() && mpmc_.can_pop(); }
  bool can_push() const noexcept { return has_ring() && mpmc_.can_push(); }
  std::uint64_t size() const noexcept { return has_ring() ? mpmc_.size() : 0; }
  std::uint64_t pushed() const noexcept { return has_ring() ? mpmc_.pushed() : 0; }
  void forget(Lane&) noexcept {}

 private:
  bool has_ring() const noexcept { return flavor_ == Flavor::mpmc; }

  const Flavor flavor_;
  atomic<bool> closed_;  // rendezvous
  union {
    MpmcRing<Cell> mpmc_;
  };
};

}  // namespace xichan
