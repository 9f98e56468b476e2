// The parts of an array: in a block, and in NumPy.
#pragma once

#include <string_view>

#include "base/ref.h"
#include "value/array_format.h"
#include "value/block_reader.h"

namespace xichan::python {

using namespace internal;

/// The array interface of NumPy, version 3: what the capsule `__array_struct__` points to.
struct NumpyArray {
  int two;
  int dimensions;
  char kind;
  int item_size;
  int flags;
  Py_intptr_t* shape;
  Py_intptr_t* strides;
  void* data;
  PyObject* description;

  static constexpr int c_contiguous = 1, f_contiguous = 2;
};

struct ArrayParts {
  ArrayKind kind;
  CellRef format;
  CellRef shape;
  const void* content;
  std::uint64_t length;  // of the content, in bytes

  explicit ArrayParts(const CellRef& array) noexcept
      : kind(static_cast<ArrayKind>(array.reader.elements(*array.cell)[0].word)),
        format(resolve(array.reader, array.reader.elements(*array.cell)[1])),
        shape(resolve(array.reader, array.reader.elements(*array.cell)[2])) {
    const Cell& bytes = array.reader.elements(*array.cell)[3];
    const bool is_short = bytes.tag() == Tag::short_bytes;
    content = is_short ? bytes.payload() : array.reader.payload(bytes);
    length = is_short ? bytes.short_length() : bytes.length();
  }

  bool is_structured() const noexcept { return format.cell->tag() == Tag::tuple; }
  bool is_numpy() const noexcept { return kind >= ArrayKind::ndarray; }
  /// Returns a format that is not structured: ASCII.
  std::string_view format_text() const noexcept {
    const Cell& cell = *format.cell;
    if (cell.tag() == Tag::short_ascii) return {cell.payload(), cell.short_length()};
    return {static_cast<const char*>(format.reader.payload(cell)), cell.length()};
  }
  std::uint64_t dimensions() const noexcept { return shape.cell->length(); }
  std::uint64_t dimension(std::uint64_t i) const noexcept { return shape.reader.elements(*shape.cell)[i].word; }
  std::uint64_t items() const noexcept {
    std::uint64_t product = 1;
    for (std::uint64_t i = 0; i < dimensions(); ++i) product *= dimension(i);
    return product;
  }
};

inline ArrayKind array_kind(const CellRef& array) noexcept {
  return static_cast<ArrayKind>(array.reader.elements(*array.cell)[0].word);
}

}  // namespace xichan::python
