// The four widths of text: which is the narrowest for some code points, and from one to another.
#pragma once

#include <cstdint>

#include "value/cell.h"
#include "xichan/export.h"

namespace xichan::internal {

inline constexpr std::uint32_t max_code_point = 0x10ffff;

/// The narrowest that holds code points up to `highest`.
constexpr TextKind narrowest_kind(std::uint32_t highest) noexcept {
  return highest < 0x80      ? TextKind::ascii
         : highest < 0x100   ? TextKind::latin1
         : highest < 0x10000 ? TextKind::ucs2
                             : TextKind::ucs4;
}

/// The highest of `length` code points (units: a body may hold what is none); 0 if there are none. `text` need not be
/// aligned.
XICHAN_API std::uint32_t highest_code_point(TextKind kind, const void* text, std::uint64_t length) noexcept;

/// Code point `i`.
XICHAN_API std::uint32_t load_code_point(TextKind kind, const void* text, std::uint64_t i) noexcept;

/// Writes `length` code points, which `to` can hold, in that width to `out`.
void convert_text(TextKind from, const void* text, std::uint64_t length, TextKind to, void* out) noexcept;

}  // namespace xichan::internal
