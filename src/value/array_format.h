// The formats of the items of an array, by what it was sent as.
#pragma once

#include <cstdint>
#include <string_view>

#include "value/cell.h"

namespace xichan::internal {

/// The most dimensions of an array of NumPy and of a memoryview.
inline constexpr std::uint64_t largest_dimensions = 64;

/// Returns the size of the one character of a format of the struct module, or 0. In standard sizes `long` has 4 bytes.
constexpr std::uint64_t struct_size(char code, bool standard) noexcept {
  switch (code) {
    case '?':
    case 'b':
    case 'B':
    case 'c': return 1;
    case 'h':
    case 'H':
    case 'e': return 2;
    case 'i':
    case 'I':
    case 'f': return 4;
    case 'l':
    case 'L': return standard ? 4 : sizeof(long);
    case 'q':
    case 'Q':
    case 'd': return 8;
    case 'n':
    case 'N':
    case 'P': return standard ? 0 : sizeof(void*);
    default: return 0;
  }
}

/// Each returns the size of an item, or 0 for a format that no array is sent with.
constexpr std::uint64_t memoryview_size(std::string_view format) noexcept {
  bool standard = false;
  if (!format.empty() && std::string_view("@=<>!").find(format[0]) != std::string_view::npos) {
    standard = format[0] != '@';
    format.remove_prefix(1);
  }
  return format.size() == 1 ? struct_size(format[0], standard) : 0;
}

constexpr std::uint64_t array_size(std::string_view code) noexcept {
  if (code == "u" || code == "w") return sizeof(wchar_t);
  if (code == "Zf") return 8;
  if (code == "Zd") return 16;
  if (code.size() != 1 || std::string_view("bBhHiIlLqQefd").find(code[0]) == std::string_view::npos) return 0;
  return struct_size(code[0], false);
}

/// The `str` of a dtype: byte order, kind, size, and for times the unit in brackets.
constexpr std::uint64_t dtype_size(std::string_view format) noexcept {
  if (!format.empty() && std::string_view("<>|=").find(format[0]) != std::string_view::npos) format.remove_prefix(1);
  if (format.empty()) return 0;
  const char kind = format[0];
  if (std::string_view("biufcmMUSV").find(kind) == std::string_view::npos) return 0;
  format.remove_prefix(1);
  std::uint64_t size = 0;
  std::size_t digits = 0;
  for (; digits < format.size() && format[digits] >= '0' && format[digits] <= '9'; ++digits) {
    if (digits == 10) return 0;
    size = size * 10 + static_cast<std::uint64_t>(format[digits] - '0');
  }
  format.remove_prefix(digits);
  if (format.empty()) return kind == 'U' ? size * 4 : size;
  if ((kind != 'm' && kind != 'M') || format.size() < 2 || format.front() != '[' || format.back() != ']') return 0;
  // Anything else in the brackets could end them, and NumPy reads a list of dtypes after a comma.
  for (const char c : format.substr(1, format.size() - 2)) {
    const bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!is_plain) return 0;
  }
  return size;
}

constexpr std::uint64_t format_size(ArrayKind kind, std::string_view format) noexcept {
  return kind >= ArrayKind::ndarray ? dtype_size(format)
         : kind == ArrayKind::array ? array_size(format)
                                    : memoryview_size(format);
}

}  // namespace xichan::internal
