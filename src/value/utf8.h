// Converts between UTF-8 and the four widths of text. Lone surrogates are read and written in their three-byte form,
// because Python's str may contain them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "value/cell.h"

namespace xichan::internal {

struct Utf8Scan {
  bool valid;
  TextKind kind;         // the narrowest kind that holds every code point
  std::uint64_t length;  // code points
};

Utf8Scan scan_utf8(std::string_view text) noexcept;

/// Writes the code points of a valid text to `out` in the width of `kind`.
void decode_utf8(std::string_view text, TextKind kind, void* out) noexcept;

std::size_t utf8_size(TextKind kind, const void* text, std::uint64_t length) noexcept;
void encode_utf8(TextKind kind, const void* text, std::uint64_t length, char* out) noexcept;

}  // namespace xichan::internal
