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

/// Returns a new str of `length` characters copied from `data`. Null with MemoryError set.
inline PyObject* make_text(TextKind kind, const void* data, std::uint64_t length) noexcept {
  constexpr Py_UCS4 widest[] = {0x7f, 0xff, 0xffff, 0x10ffff};  // by TextKind
  PyObject* text = PyUnicode_New(static_cast<Py_ssize_t>(length), widest[static_cast<int>(kind)]);
  if (text != nullptr && length > 0) std::memcpy(PyUnicode_DATA(text), data, length * text_width(kind));
  return text;
}

}  // namespace xichan::python
