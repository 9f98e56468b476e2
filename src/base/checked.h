// Size arithmetic with overflow detection. The core computes every size that depends on a length with it.
#pragma once

#include <cstdint>

namespace xichan::internal {

/// A sum that records whether any step overflowed. Thread safety: one thread at a time.
class CheckedSize {
 public:
  constexpr explicit CheckedSize(std::uint64_t value = 0) noexcept : value_(value) {}

  constexpr CheckedSize& add(std::uint64_t n) noexcept {
    overflow_ |= __builtin_add_overflow(value_, n, &value_);
    return *this;
  }
  constexpr CheckedSize& add_product(std::uint64_t a, std::uint64_t b) noexcept {
    std::uint64_t product = 0;
    overflow_ |= __builtin_mul_overflow(a, b, &product);
    return add(product);
  }
  /// Rounds up to a multiple of `unit`, a power of two.
  constexpr CheckedSize& align(std::uint64_t unit) noexcept {
    add(unit - 1);
    value_ &= ~(unit - 1);
    return *this;
  }

  /// Undoes an earlier `add`. An overflow remains recorded.
  constexpr CheckedSize& subtract(std::uint64_t n) noexcept {
    value_ -= n;
    return *this;
  }

  constexpr bool overflowed() const noexcept { return overflow_; }
  constexpr std::uint64_t value() const noexcept { return value_; }

 private:
  std::uint64_t value_;
  bool overflow_ = false;
};

constexpr std::uint64_t align_up(std::uint64_t n, std::uint64_t unit) noexcept { return (n + unit - 1) & ~(unit - 1); }

}  // namespace xichan::internal
