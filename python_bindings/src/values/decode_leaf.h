// Decoding of values that contain no other values.
#pragma once

#include <algorithm>

#include "value/block_reader.h"
#include "values/text.h"

namespace xichan::python {

inline PyObject* make_bytes(const void* data, std::uint64_t length) noexcept {
  return PyBytes_FromStringAndSize(static_cast<const char*>(data), static_cast<Py_ssize_t>(length));
}

/// Raises SystemError for a cell that cannot be where it is, and returns null.
PyObject* raise_unexpected(const Cell& cell) noexcept;

/// Makes the str of a cell with short text, and keeps it in `entry` too. Null with MemoryError set.
PyObject* add_short_text(ShortTexts::Entry& entry, const Cell& cell) noexcept;
/// Returns the str of a cell with short text. Null with MemoryError set.
inline PyObject* make_short_text(const ModuleState& state, const Cell& cell) noexcept {
  ShortTexts::Entry& entry = state.short_texts.of(cell);
  const bool is_known = entry.cell.head == cell.head && entry.cell.word == cell.word;
  return is_known ? Py_NewRef(entry.text) : add_short_text(entry, cell);
}

/// Returns the value of a cell that needs no block.
inline PyObject* make_short(const ModuleState& state, const Cell& cell) noexcept {
  switch (cell.tag()) {
    case Tag::none: return Py_NewRef(Py_None);
    case Tag::false_: return Py_NewRef(Py_False);
    case Tag::true_: return Py_NewRef(Py_True);
    case Tag::integer: return PyLong_FromLongLong(cell.as_integer());
    case Tag::real: return PyFloat_FromDouble(cell.as_real());
    case Tag::short_ascii:
    case Tag::short_latin1:
    case Tag::short_ucs2:
    case Tag::short_ucs4: return make_short_text(state, cell);
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

/// Does the same, faster if it has many MiB.
PyObject* make_large_payload(const void* data, const Cell& cell) noexcept;

/// Returns true for None, a number, text or bytes, unless it occurs more than once.
inline bool is_single_leaf(const Cell& cell) noexcept {
  return cell.tag() < Tag::ascii || (cell.tag() <= Tag::big_int && !cell.is_repeated());
}
/// Returns the value of such a cell. Null with MemoryError set.
inline PyObject* make_leaf(const ModuleState& state, BlockReader reader, const Cell& cell) noexcept {
  return cell.tag() < Tag::ascii ? make_short(state, cell) : make_payload(reader.payload(cell), cell);
}
/// Does the same, faster if it is short text, as most keys are.
inline PyObject* make_leaf_key(const ModuleState& state, BlockReader reader, const Cell& cell) noexcept {
  const bool is_short_text = cell.tag() >= Tag::short_ascii && cell.tag() <= Tag::short_ucs4;
  return is_short_text ? make_short_text(state, cell) : make_leaf(state, reader, cell);
}

inline constexpr std::size_t most_flat_cells = 2 * largest_unindexed;  // a dict with more has an index
inline constexpr unsigned most_flat_levels = 2;
inline bool has_flat_tag(const Cell& cell) noexcept {
  return cell.tag() == Tag::tuple || cell.tag() == Tag::list || cell.tag() == Tag::dict;
}
/// Continues `is_flat` at an element that is a container.
bool is_flat_from(BlockReader reader, std::span<const Cell> elements, std::span<const Cell>::iterator inner,
                  bool in_dict, unsigned levels) noexcept;
/// Returns true if the elements of a container are few, and only such cells, or repeats of earlier ones, or tuples,
/// lists and dicts like it, `levels` deep. A key that is a repeat may stand for any value.
inline bool is_flat(BlockReader reader, std::span<const Cell> elements, bool in_dict = false,
                    unsigned levels = most_flat_levels) noexcept {
  if (elements.size() > most_flat_cells) return false;
  const auto inner = std::ranges::find_if_not(
      elements, [](const Cell& cell) noexcept { return is_single_leaf(cell) || cell.tag() == Tag::repeat; });
  return inner == elements.end() || (has_flat_tag(*inner) && is_flat_from(reader, elements, inner, in_dict, levels));
}
/// Does the same for a container of which `has_flat_tag` is true.
inline bool is_flat(BlockReader reader, const Cell& cell, unsigned levels = most_flat_levels) noexcept {
  return is_flat(reader, reader.elements(cell), cell.tag() == Tag::dict, levels);
}

/// Returns the complex or bytearray at a cell: containers in the block, but not of Python values.
PyObject* make_complex(BlockReader reader, const Cell& cell) noexcept;
PyObject* make_bytearray(BlockReader reader, const Cell& cell) noexcept;

}  // namespace xichan::python
