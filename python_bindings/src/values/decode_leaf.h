// Decoding of values that contain no other values.
#pragma once

#include "value/block_reader.h"
#include "values/text.h"

namespace xichan::python {

inline PyObject* make_bytes(const void* data, std::uint64_t length) noexcept {
  return PyBytes_FromStringAndSize(static_cast<const char*>(data), static_cast<Py_ssize_t>(length));
}

/// Raises SystemError for a cell that cannot be where it is, and returns null.
PyObject* raise_unexpected(const Cell& cell) noexcept;

/// Returns the value of a cell that needs no block.
inline PyObject* make_short(const Cell& cell) noexcept {
  switch (cell.tag()) {
    case Tag::none: return Py_NewRef(Py_None);
    case Tag::false_: return Py_NewRef(Py_False);
    case Tag::true_: return Py_NewRef(Py_True);
    case Tag::integer: return PyLong_FromLongLong(cell.as_integer());
    case Tag::real: return PyFloat_FromDouble(cell.as_real());
    case Tag::short_ascii:
    case Tag::short_latin1:
    case Tag::short_ucs2:
    case Tag::short_ucs4: return make_text(text_kind(cell.tag()), cell.payload(), cell.short_length());
    case Tag::short_bytes: return make_bytes(cell.payload(), cell.short_length());
    case Tag::tuple: return PyTuple_New(0);
    case Tag::ellipsis: return Py_NewRef(Py_Ellipsis);
    default: return raise_unexpected(cell);
  }
}

/// Returns the text, bytes or int of a cell with a payload.
inline PyObject* make_payload(const void* data, const Cell& cell) noexcept {
  if (cell.tag() == Tag::bytes) return make_bytes(data, cell.length());
  if (cell.tag() != Tag::big_int) return make_text(text_kind(cell.tag()), data, cell.length());
  return PyLong_FromNativeBytes(data, cell.length(), Py_ASNATIVEBYTES_LITTLE_ENDIAN);
}

/// Returns the complex or bytearray at a cell: containers in the block, but not of Python values.
PyObject* make_complex(BlockReader reader, const Cell& cell) noexcept;
PyObject* make_bytearray(BlockReader reader, const Cell& cell) noexcept;

}  // namespace xichan::python
