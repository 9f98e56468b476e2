#include "value/utf8.h"

#include <algorithm>
#include <cstring>

namespace xichan {
namespace {

constexpr std::uint32_t malformed = UINT32_MAX;

// The next code point, or `malformed`; moves `at` past it. Refuses overlong forms and what is above U+10FFFF.
std::uint32_t next(std::string_view text, std::size_t& at) noexcept {
  const auto byte = [&](std::size_t i) noexcept { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(at++);
  if (lead < 0x80) return lead;
  const unsigned more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
  constexpr std::uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};
  if (lead < 0xc2 || lead > 0xf4 || text.size() - at < more) return malformed;
  std::uint32_t point = lead & (0x3fu >> more);
  for (unsigned i = 0; i < more; ++i) {
    const unsigned tail = byte(at++);
    if ((tail & 0xc0) != 0x80) return malformed;
    point = point << 6 | (tail & 0x3f);
  }
  return point < smallest[more] || point > 0x10ffff ? malformed : point;
}

std::uint32_t load(TextKind kind, const void* text, std::uint64_t i) noexcept {
  const auto* bytes = static_cast<const unsigned char*>(text);
  if (kind == TextKind::ucs4) {
    std::uint32_t point;
    std::memcpy(&point, bytes + i * 4, 4);
    return point;
  }
  if (kind == TextKind::ucs2) {
    std::uint16_t point;
    std::memcpy(&point, bytes + i * 2, 2);
    return point;
  }
  return bytes[i];
}

constexpr unsigned encoded_size(std::uint32_t point) noexcept {
  return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}

}  // namespace

Utf8Scan scan_utf8(std::string_view text) noexcept {
  std::uint32_t widest = 0;
  std::uint64_t length = 0;
  for (std::size_t at = 0; at < text.size(); ++length) {
    const std::uint32_t point = next(text, at);
    if (point == malformed) return {false, TextKind::ascii, 0};
    widest = std::max(widest, point);
  }
  const TextKind kind = widest < 0x80      ? TextKind::ascii
                        : widest < 0x100   ? TextKind::latin1
                        : widest < 0x10000 ? TextKind::ucs2
                                           : TextKind::ucs4;
  return {true, kind, length};
}

void decode_utf8(std::string_view text, TextKind kind, void* out) noexcept {
  auto* to = static_cast<unsigned char*>(out);
  const unsigned width = text_width(kind);
  for (std::size_t at = 0; at < text.size(); to += width) {
    const std::uint32_t point = next(text, at);
    std::memcpy(to, &point, width);  // little endian, as checked in cell.h
  }
}

std::size_t utf8_size(TextKind kind, const void* text, std::uint64_t length) noexcept {
  if (kind == TextKind::ascii) return length;
  std::size_t size = 0;
  for (std::uint64_t i = 0; i < length; ++i) size += encoded_size(load(kind, text, i));
  return size;
}

void encode_utf8(TextKind kind, const void* text, std::uint64_t length, char* out) noexcept {
  if (kind == TextKind::ascii) {
    if (length > 0) std::memcpy(out, text, length);
    return;
  }
  for (std::uint64_t i = 0; i < length; ++i) {
    const std::uint32_t point = load(kind, text, i);
    const unsigned size = encoded_size(point);
    if (size == 1) {
      *out++ = static_cast<char>(point);
      continue;
    }
    constexpr unsigned lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (unsigned shift = 6 * (size - 1), mark = lead[size];; shift -= 6, mark = 0x80) {
      *out++ = static_cast<char>(mark | (point >> shift & (mark == 0x80 ? 0x3f : 0xff)));
      if (shift == 0) break;
    }
  }
}

}  // namespace xichan
