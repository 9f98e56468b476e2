// Selects and converts between the four widths of text.
#pragma once

#include <cstdint>

#include "value/cell.h"
#include "xichan/export.h"

namespace xichan::internal {

inline constexpr std::uint32_t max_code_point = 0x10ffff;

/// Returns the narrowest kind that holds code points up to `highest`.
constexpr TextKind narrowest_kind(std::uint32_t highest) noexcept {
  return highest < 0x80      ? TextKind::ascii
         : highest < 0x100   ? TextKind::latin1
         : highest < 0x10000 ? TextKind::ucs2
                             : TextKind::ucs4;
}

/// Returns the highest of `length` units, which need not be valid code points; 0 if there are none. `text` need not be
/// aligned.
XICHAN_API std::uint32_t highest_code_point(TextKind kind, const void* text, std::uint64_t length) noexcept;

/// Returns unit `i`.
XICHAN_API std::uint32_t load_code_point(TextKind kind, const void* text, std::uint64_t i) noexcept;

/// Writes `length` code points to `out` in the width of `to`, which must hold them.
void convert_text(TextKind from, const void* text, std::uint64_t length, TextKind to, void* out) noexcept;

}  // namespace xichan::internal
