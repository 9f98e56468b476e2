// Encodes values that fit in a line (value/line.h): the step between encode_short() and a block.
#pragma once

#include "value/line.h"
#include "values/encode.h"

namespace xichan::python {

/// Copies 8 to 64 bytes by a few moves, which overlap.
[[gnu::always_inline]] inline void copy_line(char* to, const char* from, std::size_t size) noexcept {
  struct Part {
    std::uint64_t words[2];
  };
  const auto move = [=](std::size_t at, auto part) noexcept {
    std::memcpy(&part, from + at, sizeof part);
    std::memcpy(to + at, &part, sizeof part);
  };
  if (size < sizeof(Part)) {
    move(0, std::uint64_t{});
    return move(size - sizeof(std::uint64_t), std::uint64_t{});
  }
  move(0, Part{});
  if (size > 2 * sizeof(Part)) {
    move(sizeof(Part), Part{});
    move(size - 2 * sizeof(Part), Part{});
  }
  move(size - sizeof(Part), Part{});
}

/// Returns true for a text, bytes or int that fits in a line. The value is one that `encode_short` does not encode.
[[gnu::always_inline]] inline bool fits_line(PyObject* value) noexcept {
  constexpr auto size = static_cast<Py_ssize_t>(Line::size);
  if (PyUnicode_CheckExact(value)) return PyUnicode_GET_LENGTH(value) * PyUnicode_KIND(value) <= size;
  if (PyBytes_CheckExact(value)) return PyBytes_GET_SIZE(value) <= size;
  constexpr std::uintptr_t most_digits = 8 * Line::size / PyLong_SHIFT;  // leaves a bit for the sign
  return PyLong_CheckExact(value) &&
         reinterpret_cast<PyLongObject*>(value)->long_value.lv_tag >> _PyLong_NON_SIZE_BITS <= most_digits;
}

/// Encodes such a value. The cell owns nothing.
[[gnu::always_inline]] inline void write_line(PyObject* value, Cell& cell, Line& line) noexcept {
  if (PyUnicode_CheckExact(value)) {
    const Text text(value);
    cell = Cell::of(text_tag(text.kind), text.length);
    copy_line(line.bytes, static_cast<const char*>(text.data), text.length * text_width(text.kind));
  } else if (PyBytes_CheckExact(value)) {
    const auto length = static_cast<std::uint64_t>(PyBytes_GET_SIZE(value));
    cell = Cell::of(Tag::bytes, length);
    copy_line(line.bytes, PyBytes_AS_STRING(value), length);
  } else {
    write_int_line(value, cell, line);
  }
}

/// Returns true for a tuple that fits in a line if its items are short.
[[gnu::always_inline]] inline bool is_small(PyObject* tuple) noexcept {
  return PyTuple_GET_SIZE(tuple) <= static_cast<Py_ssize_t>(Line::most_cells);
}

}  // namespace xichan::python
