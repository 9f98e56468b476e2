// Gives the core access to the cells of Value and ValueView.
//
// Thread safety: as for Value and ValueView.
#pragma once

#include <utility>

#include "value/block_reader.h"
#include "value/message.h"
#include "xichan/value.h"

namespace xichan::internal {

constexpr bool is_short_text(Tag tag) noexcept { return tag >= Tag::short_ascii && tag <= Tag::short_ucs4; }
constexpr bool is_long_text(Tag tag) noexcept { return tag >= Tag::ascii && tag <= Tag::ucs4; }

struct TextParts {
  TextKind kind = TextKind::ascii;
  const void* data = nullptr;
  std::uint64_t length = 0;
};

/// Returns an empty text for a cell that is not text.
inline TextParts text_parts(BlockReader reader, const Cell& cell) noexcept {
  if (is_short_text(cell.tag())) return {text_kind(cell.tag()), cell.payload(), cell.short_length()};
  if (!is_long_text(cell.tag())) return {};
  return {text_kind(cell.tag()), reader.payload(cell), cell.length()};
}

/// Returns true if two texts have the same code points, in whatever width.
bool equal_text(const TextParts& one, const TextParts& other) noexcept;

struct ValueAccess {
  static Cell& cell(Value& value) noexcept { return *reinterpret_cast<Cell*>(value.cell_); }
  static const Cell& cell(const Value& value) noexcept { return *reinterpret_cast<const Cell*>(value.cell_); }

  static const Cell& cell(const ValueView& view) noexcept { return *static_cast<const Cell*>(view.cell_); }
  static BlockReader reader(const ValueView& view) noexcept {
    return BlockReader(static_cast<const Block*>(view.block_));
  }

  /// Returns a view of the value of a cell, after following references, windows and Shareds.
  static ValueView view(BlockReader reader, const Cell& cell) noexcept { return view(resolve_through(reader, cell)); }
  static ValueView view(const CellRef& resolved) noexcept { return {resolved.reader.block(), resolved.cell}; }

  /// Returns the endpoint of a view, or null.
  static const Reference* end(const ValueView& view) noexcept {
    return cell(view).tag() == Tag::reference ? &reader(view).reference(cell(view)) : nullptr;
  }

  /// Moves ownership of the cell to `out`, which releases its previous value.
  static void adopt(Value& out, const Cell& owned) noexcept { release(std::exchange(cell(out), owned)); }
};

}  // namespace xichan::internal
