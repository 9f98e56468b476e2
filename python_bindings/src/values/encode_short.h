// Fast path: encodes values that fit in a cell without a block. Most messages do.
#pragma once

#include "values/text.h"

namespace xichan::python {

/// Where an encoded value goes. A Buffer or Descriptor goes only to one receiver.
enum class Destination {
  process,             // to any number of readers in the process
  outside,             // where endpoints and Queues cannot go
  or_pickle,           // to `process`, pickled if it is refused: then no exception is set
  receiver,            // to one receiver
  duplicate,           // likewise, with duplicates of its Descriptors, which the sender keeps
  receiver_or_pickle,  // likewise, pickled if it is refused
  nowhere,             // only to be asked whether a receiver could receive it
};

constexpr bool moves(Destination to) noexcept {
  return to == Destination::receiver || to == Destination::receiver_or_pickle || to == Destination::duplicate;
}
constexpr bool may_pickle(Destination to) noexcept {
  return to == Destination::or_pickle || to == Destination::receiver_or_pickle;
}

/// Does the same as Cell::of_short().
[[gnu::always_inline]] inline void write_short(Cell& cell, Tag tag, const void* data, std::uint64_t length,
                                               unsigned width) noexcept {
  cell = {static_cast<std::uint64_t>(tag) | length << 8, 0};
  copy_short(cell.payload(), static_cast<const char*>(data), length * width);
}

/// Encodes a value that fits in a cell without a block, and returns true; false for any other value. No other function
/// decides which values fit. If `cell` is null, only decides. Always inlined, because the counting walk calls it for
/// every leaf.
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
    if (cell != nullptr) write_short(*cell, short_text_tag(text.kind), text.data, text.length, text_width(text.kind));
    return true;
  }
  if (PyFloat_CheckExact(value)) {
    if (cell != nullptr) *cell = Cell::real(PyFloat_AS_DOUBLE(value));
    return true;
  }
  if (PyBytes_CheckExact(value)) {
    const auto length = static_cast<std::uint64_t>(PyBytes_GET_SIZE(value));
    if (!fits_short(length, 1)) return false;
    if (cell != nullptr) write_short(*cell, Tag::short_bytes, PyBytes_AS_STRING(value), length, 1);
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
  if (PyTuple_CheckExact(value)) {
    if (PyTuple_GET_SIZE(value) != 0) return false;
    if (cell != nullptr) *cell = Cell::of(Tag::tuple);
    return true;
  }
  if (value == Py_Ellipsis) {
    if (cell != nullptr) *cell = Cell::of(Tag::ellipsis);
    return true;
  }
  return false;
}

}  // namespace xichan::python
