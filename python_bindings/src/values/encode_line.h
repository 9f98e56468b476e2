// Encodes values that fit in a line (value/line.h): the step between encode_short() and a block.
#pragma once

#include "value/line.h"
#include "values/encode_short.h"

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

/// Returns false for a value that `encode_line` does not encode; true also for some others.
[[gnu::always_inline]] inline bool may_fit_line(PyObject* value) noexcept {
  if (PyTuple_CheckExact(value)) return PyTuple_GET_SIZE(value) <= static_cast<Py_ssize_t>(Line::most_cells);
  if (PyUnicode_CheckExact(value)) return PyUnicode_GET_LENGTH(value) <= static_cast<Py_ssize_t>(Line::size);
  return PyBytes_CheckExact(value) && PyBytes_GET_SIZE(value) <= static_cast<Py_ssize_t>(Line::size);
}

/// Encodes a text, bytes or tuple that `encode_short` does not encode and that fits in a line, and returns true; false
/// for any other value. The cell owns nothing.
[[gnu::always_inline]] inline bool encode_line(PyObject* value, Cell& cell, Line& line) noexcept {
  if (PyUnicode_CheckExact(value)) {
    const Text text(value);
    if (text.length > Line::size / text_width(text.kind)) return false;
    cell = Cell::of(text_tag(text.kind), text.length);
    copy_line(line.bytes, static_cast<const char*>(text.data), text.length * text_width(text.kind));
    return true;
  }
  if (PyBytes_CheckExact(value)) {
    const auto length = static_cast<std::uint64_t>(PyBytes_GET_SIZE(value));
    if (length > Line::size) return false;
    cell = Cell::of(Tag::bytes, length);
    copy_line(line.bytes, PyBytes_AS_STRING(value), length);
    return true;
  }
  if (!PyTuple_CheckExact(value)) return false;
  const auto length = static_cast<std::uint64_t>(PyTuple_GET_SIZE(value));
  if (length > Line::most_cells) return false;
  for (std::uint64_t i = 0; i < length; ++i) {
    if (!encode_short(PyTuple_GET_ITEM(value, static_cast<Py_ssize_t>(i)), &line.cells()[i])) return false;
  }
  cell = Cell::of(Tag::tuple, length);
  return true;
}

}  // namespace xichan::python
