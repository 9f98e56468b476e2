#include "value/utf8.h"

#include <algorithm>
#include <cstring>

#include "value/text.h"

namespace xichan::internal {
namespace {

constexpr std::uint32_t malformed = UINT32_MAX;

// Returns the next code point and moves `at` past it. Returns `malformed` for overlong forms and above U+10FFFF.
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
  return point < smallest[more] || point > max_code_point ? malformed : point;
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
  return {true, narrowest_kind(widest), length};
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
  for (std::uint64_t i = 0; i < length; ++i) size += encoded_size(load_code_point(kind, text, i));
  return size;
}

void encode_utf8(TextKind kind, const void* text, std::uint64_t length, char* out) noexcept {
  if (kind == TextKind::ascii) {
    if (length > 0) std::memcpy(out, text, length);
    return;
  }
  for (std::uint64_t i = 0; i < length; ++i) {
    const std::uint32_t point = load_code_point(kind, text, i);
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

}  // namespace xichan::internal
