#include "values/decode_leaf.h"

#include <utility>

#include "base/large_copy.h"

namespace xichan::python {

PyObject* raise_unexpected(const Cell& cell) noexcept {
  PyErr_Format(PyExc_SystemError, "xichan: cannot decode a cell with tag %d here", static_cast<int>(cell.tag()));
  return nullptr;
}

PyObject* add_short_text(ShortTexts::Entry& entry, const Cell& cell) noexcept {
  const TextKind kind = text_kind(cell.tag());
  PyObject* text = new_text(kind, cell.short_length());
  if (text == nullptr) return nullptr;
  copy_short(static_cast<char*>(PyUnicode_DATA(text)), cell.payload(), cell.short_length() * text_width(kind));
  Py_XDECREF(std::exchange(entry.text, Py_NewRef(text)));
  entry.cell = cell;
  return text;
}

bool is_flat_from(BlockReader reader, std::span<const Cell> elements, std::span<const Cell>::iterator inner,
                  bool in_dict, unsigned levels) noexcept {
  for (; inner != elements.end(); ++inner) {
    if (is_single_leaf(*inner) || inner->tag() == Tag::repeat) continue;
    const bool is_key = in_dict && (inner - elements.begin()) % 2 == 0;
    if (is_key || levels == 0 || !has_flat_tag(*inner) || inner->is_repeated()) return false;
    if (!is_flat(reader, *inner, levels - 1)) return false;
  }
  return true;
}

PyObject* make_complex(BlockReader reader, const Cell& cell) noexcept {
  const std::span<const Cell> parts = reader.elements(cell);
  return PyComplex_FromDoubles(parts[0].as_real(), parts[1].as_real());
}

PyObject* make_bytearray(BlockReader reader, const Cell& cell) noexcept {
  const Cell& content = reader.elements(cell)[0];
  const bool is_short = content.tag() == Tag::short_bytes;
  const void* data = is_short ? content.payload() : reader.payload(content);
  const std::uint64_t length = is_short ? content.short_length() : content.length();
  PyObject* const value = PyByteArray_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(length));
  if (value != nullptr) copy_payload(PyByteArray_AS_STRING(value), data, length);
  return value;
}

PyObject* make_large_payload(const void* data, const Cell& cell) noexcept {
  if (cell.tag() == Tag::big_int) return make_payload(data, cell);
  if (cell.tag() != Tag::bytes) {
    const TextKind kind = text_kind(cell.tag());
    PyObject* const text = new_text(kind, cell.length());
    if (text != nullptr) copy_payload(PyUnicode_DATA(text), data, cell.length() * text_width(kind));
    return text;
  }
  PyObject* const value = PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(cell.length()));
  if (value != nullptr) copy_payload(PyBytes_AS_STRING(value), data, cell.length());
  return value;
}

}  // namespace xichan::python
