// Stands in for src/arena/lent_bytes.h in the model of the lender: one number, which must be 0 in the end.
#pragma once

#include <cstdint>

namespace xichan::internal {

struct LentBytes {
  inline static std::uint64_t now = 0;

  static bool charge(std::uint64_t bytes) noexcept {
    now += bytes;
    return true;
  }
  static void refund(std::uint64_t bytes) noexcept { now -= bytes; }
  static bool retain(std::uint64_t, std::uint64_t bytes) noexcept { return charge(bytes); }
  static void drop(std::uint64_t bytes) noexcept { refund(bytes); }
};

}  // namespace xichan::internal
