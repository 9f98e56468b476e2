// The decision word of one blocking operation: it leaves `waiting` exactly once.
//
// Algorithm: one compare-and-swap of a word that holds the outcome and the index of the decided case.
// Progress: wait-free.
#pragma once

#include <cstdint>

#include "base/atomic.h"

namespace xichan::internal {

enum class Outcome : std::uint32_t { waiting, notified, transferred, cancelled, nudged };

class Decision {
 public:
  Decision() noexcept { word_.store(pack(Outcome::waiting, 0), memory_order_relaxed); }

  /// Decides the operation. Returns false if it was decided already.
  bool decide(Outcome outcome, std::uint32_t index) noexcept {
    std::uint32_t expected = pack(Outcome::waiting, 0);
    // (5) release, with the acquire of every load of the word: unlinking the node and storing a transferred value in it
    // happen before the waiter continues.
    return word_.compare_exchange_strong(expected, pack(outcome, index), memory_order_acq_rel, memory_order_relaxed);
  }

  bool is_decided() const noexcept { return outcome() != Outcome::waiting; }
  Outcome outcome() const noexcept { return static_cast<Outcome>(word_.load(memory_order_acquire) & outcome_mask); }
  /// Returns the index of the decided case.
  std::uint32_t index() const noexcept { return word_.load(memory_order_acquire) >> shift; }

  /// The futex word, and its value while the operation waits.
  atomic<std::uint32_t>& word() noexcept { return word_; }
  static constexpr std::uint32_t undecided = 0;

 private:
  static constexpr unsigned shift = 3;  // word_:  index | outcome
  static constexpr std::uint32_t outcome_mask = (1u << shift) - 1;

  static constexpr std::uint32_t pack(Outcome outcome, std::uint32_t index) noexcept {
    return static_cast<std::uint32_t>(outcome) | index << shift;
  }

  atomic<std::uint32_t> word_;
};

}  // namespace xichan::internal
