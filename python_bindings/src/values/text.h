// How CPython and a block both store text: characters of one width in an array.
#pragma once

#include <cstring>

#include "base/state.h"
#include "value/cell.h"

namespace xichan::python {

/// The characters of a str. Borrowed from it.
struct Text {
  explicit Text(PyObject* value) noexcept
      : kind(PyUnicode_IS_ASCII(value)                       ? TextKind::ascii
             : PyUnicode_KIND(value) == PyUnicode_1BYTE_KIND ? TextKind::latin1
             : PyUnicode_KIND(value) == PyUnicode_2BYTE_KIND ? TextKind::ucs2
                                                             : TextKind::ucs4),
        length(static_cast<std::uint64_t>(PyUnicode_GET_LENGTH(value))),
        data(PyUnicode_DATA(value)) {}

  TextKind kind;
  std::uint64_t length;
  const void* data;
};

/// Copies up to 14 bytes by at most two moves, which overlap: faster than a loop or a call.
[[gnu::always_inline]] inline void copy_short(char* to, const char* from, std::size_t size) noexcept {
  const auto move = [=](auto first) noexcept {
    auto last = first;
    std::memcpy(&first, from, sizeof first);
    std::memcpy(&last, from + size - sizeof last, sizeof last);
    std::memcpy(to, &first, sizeof first);
    std::memcpy(to + size - sizeof last, &last, sizeof last);
  };
  if (size >= 8) {
    move(std::uint64_t{});
  } else if (size >= 4) {
    move(std::uint32_t{});
  } else if (size >= 2) {
    move(std::uint16_t{});
  } else if (size == 1) {
    *to = *from;
  }
}

/// Returns a new str of `length` characters, which the caller fills in. Null with MemoryError set.
inline PyObject* new_text(TextKind kind, std::uint64_t length) noexcept {
  constexpr Py_UCS4 widest[] = {0x7f, 0xff, 0xffff, 0x10ffff};  // by TextKind
  return PyUnicode_New(static_cast<Py_ssize_t>(length), widest[static_cast<int>(kind)]);
}

/// Returns a new str of `length` characters copied from `data`. Null with MemoryError set.
inline PyObject* make_text(TextKind kind, const void* data, std::uint64_t length) noexcept {
  PyObject* text = new_text(kind, length);
  if (text != nullptr && length > 0) std::memcpy(PyUnicode_DATA(text), data, length * text_width(kind));
  return text;
}

}  // namespace xichan::python
