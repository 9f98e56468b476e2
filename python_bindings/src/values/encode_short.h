// What fits a cell by itself: most messages, so this is part of their shortest way.
#pragma once

#include "base/state.h"
#include "value/cell.h"

namespace xichan::python {

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

/// Encodes what fits a cell by itself; false for everything else. The one place that says what does. Without a cell it
/// only says so: inlined, because the walk that counts asks that of every leaf.
[[gnu::always_inline]] inline bool encode_short(PyObject* value, Cell* cell) noexcept {
  if (PyLong_CheckExact(value)) {
    if (PyUnstable_Long_IsCompact(reinterpret_cast<PyLongObject*>(value))) {
      if (cell != nullptr) *cell = Cell::integer(PyUnstable_Long_CompactValue(reinterpret_cast<PyLongObject*>(value)));
      return true;
    }
    int overflow;
    const long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (cell != nullptr) *cell = Cell::integer(number);
    return overflow == 0;
  }
  if (PyUnicode_CheckExact(value)) {
    const Text text(value);
    if (!fits_short(text.length, text_width(text.kind))) return false;
    if (cell != nullptr) {
      *cell = Cell::of_short(short_text_tag(text.kind), text.data, text.length, text_width(text.kind));
    }
    return true;
  }
  if (PyFloat_CheckExact(value)) {
    if (cell != nullptr) *cell = Cell::real(PyFloat_AS_DOUBLE(value));
    return true;
  }
  if (PyBytes_CheckExact(value)) {
    const auto length = static_cast<std::uint64_t>(PyBytes_GET_SIZE(value));
    if (!fits_short(length, 1)) return false;
    if (cell != nullptr) *cell = Cell::of_short(Tag::short_bytes, PyBytes_AS_STRING(value), length);
    return true;
  }
  if (value == Py_None) {
    if (cell != nullptr) *cell = Cell::none();
    return true;
  }
  if (PyBool_Check(value)) {
    if (cell != nullptr) *cell = Cell::boolean(value == Py_True);
    return true;
  }
  if (PyTuple_CheckExact(value) && PyTuple_GET_SIZE(value) == 0) {
    if (cell != nullptr) *cell = Cell::of(Tag::tuple);
    return true;
  }
  return false;
}

}  // namespace xichan::python
