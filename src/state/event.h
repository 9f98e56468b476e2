// A flag that calls wait for.
//
// Algorithm: a word that holds the flag and counts how often it was set, so that a call returns also if the flag is
// cleared before the call is admitted.
//
// Progress: all operations but waits are lock-free.
#pragma once

#include "state/turnstile.h"

namespace xichan::internal {

class XICHAN_API SharedEvent final : public Turnstile {
 public:
  SharedEvent() noexcept : Turnstile(StateKind::event, Order::each) { word_.store(0, memory_order_relaxed); }
  ~SharedEvent() override = default;

  bool is_set() const noexcept { return word_.load(memory_order_seq_cst) & flag; }
  void set() noexcept {
    std::uint64_t word = word_.load(memory_order_seq_cst);
    do {
      if (word & flag) return;
    } while (!word_.compare_exchange_weak(word, (word + once) | flag, memory_order_seq_cst, memory_order_seq_cst));
    changed();
  }
  void clear() noexcept { word_.fetch_and(~flag, memory_order_seq_cst); }

  /// Returns a request by which `wait` waits until the flag is set, from now on.
  Request request() const noexcept { return {.wanted = word_.load(memory_order_seq_cst) / once}; }

 private:
  static constexpr std::uint64_t flag = 1, once = 2;

  bool admit(Request& request) noexcept override {
    const std::uint64_t word = word_.load(memory_order_seq_cst);
    return (word & flag) != 0 || word / once != request.wanted;
  }

  atomic<std::uint64_t> word_;
};

}  // namespace xichan::internal
