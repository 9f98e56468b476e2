#include "value/text.h"

#include <algorithm>
#include <cstring>

namespace xichan::internal {
namespace {

template <class Unit>
Unit load(const void* text, std::uint64_t i) noexcept {
  Unit unit;
  std::memcpy(&unit, static_cast<const char*>(text) + i * sizeof(Unit), sizeof unit);
  return unit;
}

// A loop that compilers vectorize.
template <class Unit>
std::uint32_t highest(const void* text, std::uint64_t length) noexcept {
  Unit most = 0;
  for (std::uint64_t i = 0; i < length; ++i) most = std::max(most, load<Unit>(text, i));
  return most;
}

}  // namespace

std::uint32_t highest_code_point(TextKind kind, const void* text, std::uint64_t length) noexcept {
  switch (text_width(kind)) {
    case 1: return highest<std::uint8_t>(text, length);
    case 2: return highest<std::uint16_t>(text, length);
    default: return highest<std::uint32_t>(text, length);
  }
}

std::uint32_t load_code_point(TextKind kind, const void* text, std::uint64_t i) noexcept {
  switch (text_width(kind)) {
    case 1: return load<std::uint8_t>(text, i);
    case 2: return load<std::uint16_t>(text, i);
    default: return load<std::uint32_t>(text, i);
  }
}

void convert_text(TextKind from, const void* text, std::uint64_t length, TextKind to, void* out) noexcept {
  const unsigned width = text_width(to);
  if (width == text_width(from)) {
    if (length != 0) std::memcpy(out, text, length * width);
    return;
  }
  auto* next = static_cast<char*>(out);
  for (std::uint64_t i = 0; i < length; ++i, next += width) {
    const std::uint32_t point = load_code_point(from, text, i);
    std::memcpy(next, &point, width);  // little endian, as checked in cell.h
  }
}

}  // namespace xichan::internal
