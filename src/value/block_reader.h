// Reads the cells of a block. Every access is O(1): element i of a tuple is found without looking at its siblings.
//
// Thread safety: any number of threads, as long as each holds a count of the block. The body is trusted: it was built
// by BlockBuilder, or verified.
#pragma once

#include <span>

#include "arena/block.h"
#include "value/cell.h"

namespace xichan::internal {

class BlockReader {
 public:
  BlockReader() noexcept = default;
  explicit BlockReader(const Block* block) noexcept : block_(block) {}

  const Block* block() const noexcept { return block_; }
  const Cell& root() const noexcept { return *cells_at(0); }

  /// The elements of a cell of tag `tuple`.
  std::span<const Cell> elements(const Cell& cell) const noexcept { return {cells_at(cell.word), cell.length()}; }
  /// Where the payload of a long text, bytes or int begins; a text ends in a NUL of its width.
  const void* payload(const Cell& cell) const noexcept { return block_->body() + cell.word; }
  /// What a cell of tag `reference` or `shared` names.
  const Reference& reference(const Cell& cell) const noexcept { return block_->references()[cell.word]; }
  /// Of a cell of tag `window`: the block that is looked into, and the cell to read there, which stands in this body.
  BlockReader window_block(const Cell& cell) const noexcept {
    return BlockReader(static_cast<const Block*>(block_->references()[cell.length()].object));
  }
  const Cell& window(const Cell& cell) const noexcept { return *cells_at(cell.word); }
  /// The cell that one of tag `repeat` stands for.
  const Cell& repeated(const Cell& cell) const noexcept { return *cells_at(cell.word); }

 private:
  const Cell* cells_at(std::uint64_t offset) const noexcept {
    return reinterpret_cast<const Cell*>(block_->body() + offset);
  }

  const Block* block_ = nullptr;
};

/// Where a value stands.
struct CellRef {
  BlockReader reader;
  const Cell* cell;
};

/// Follows references to other blocks, windows into them and repeats, until the value itself is found. A Shared is a
/// value of its own, and not looked into.
inline CellRef resolve(BlockReader reader, const Cell& cell) noexcept {
  CellRef place{reader, &cell};
  while (place.cell->tag() >= Tag::reference) {
    if (place.cell->tag() == Tag::window) {
      const Cell& seen = place.reader.window(*place.cell);
      place = {place.reader.window_block(*place.cell), &seen};
    } else if (place.cell->tag() == Tag::repeat) {
      place.cell = &place.reader.repeated(*place.cell);
    } else {
      const Reference& reference = place.reader.reference(*place.cell);
      if (reference.type->kind != ReferenceKind::block) break;
      place.reader = BlockReader(static_cast<const Block*>(reference.object));
      place.cell = &place.reader.root();
    }
  }
  return place;
}

/// The same, and what is found in a Shared instead of that.
inline CellRef resolve_through(BlockReader reader, const Cell& cell) noexcept {
  CellRef place = resolve(reader, cell);
  while (place.cell->tag() == Tag::shared) {
    const BlockReader inside(static_cast<const Block*>(place.reader.reference(*place.cell).object));
    place = resolve(inside, inside.root());
  }
  return place;
}

/// The width of a text's code points, from its tag.
constexpr TextKind text_kind(Tag tag) noexcept {
  const Tag first = tag >= Tag::ascii ? Tag::ascii : Tag::short_ascii;
  return static_cast<TextKind>(static_cast<unsigned>(tag) - static_cast<unsigned>(first));
}

}  // namespace xichan::internal
