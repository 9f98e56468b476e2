// Counts the bytes of lent objects (lender.h), and charges them to the byte limit as blocks are.
//
// Progress: as Budget. Thread safety: any thread.
#pragma once

#include <cstdint>

#include "xichan/export.h"

namespace xichan::internal {

struct XICHAN_API LentBytes {
  static constexpr std::uint64_t smallest = 8 * 1024;  // a copy of fewer bytes costs no more than a loan

  /// Returns false if `bytes` more bytes would exceed the limit.
  static bool charge(std::uint64_t bytes) noexcept;
  static void refund(std::uint64_t bytes) noexcept;

  static std::uint64_t total() noexcept;
  /// Returns how many bytes one lender may retain, that is, have lent and not taken back: 64 MiB, or a quarter of the
  /// byte limit if that is less. So this is the most that an interpreter keeps if it never looks for returned loans.
  static std::uint64_t bound() noexcept;
  /// Returns false if a lender that retains `own` bytes may not retain `bytes` more, because of this bound or because
  /// all lenders together would retain more than 256 MiB, or a quarter of the limit. Else counts them.
  static bool retain(std::uint64_t own, std::uint64_t bytes) noexcept;
  static void drop(std::uint64_t bytes) noexcept;
};

}  // namespace xichan::internal
