// Reads the cells of a block. Every access is O(1): reading element i of a tuple does not read its siblings.
//
// Thread safety: any number of threads, as long as each holds a reference to the block. The body is trusted:
// BlockBuilder built it, or verify() accepted it.
#pragma once

#include <span>

#include "arena/block.h"
#include "base/content_map.h"
#include "value/cell.h"

namespace xichan::internal {

class BlockReader {
 public:
  BlockReader() noexcept = default;
  explicit BlockReader(const Block* block) noexcept : block_(block) {}

  const Block* block() const noexcept { return block_; }
  const Cell& root() const noexcept { return *cells_at(0); }

  /// Returns the cells of a container: of a dict or set, the index too.
  std::span<const Cell> elements(const Cell& cell) const noexcept { return {cells_at(cell.word), cell.length()}; }
  /// Returns the address of the payload of a long text, bytes or int. A text ends in a NUL of its width. The payload is
  /// in the body, or the memory of a lent object: then the sum wraps around.
  const void* payload(const Cell& cell) const noexcept {
    return reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(block_->body()) + cell.word);
  }
  /// Returns the reference that a cell of tag `reference` or `shared` names.
  const Reference& reference(const Cell& cell) const noexcept { return block_->references()[cell.word]; }
  /// For a cell of tag `window`: the block that contains the value, and the cell, in this body, that describes it.
  BlockReader window_block(const Cell& cell) const noexcept {
    return BlockReader(static_cast<const Block*>(block_->references()[cell.length()].object));
  }
  const Cell& window(const Cell& cell) const noexcept { return *cells_at(cell.word); }
  /// Returns the cell that a cell of tag `repeat` points to.
  const Cell& repeated(const Cell& cell) const noexcept { return *cells_at(cell.word); }

 private:
  const Cell* cells_at(std::uint64_t offset) const noexcept {
    return reinterpret_cast<const Cell*>(block_->body() + offset);
  }

  const Block* block_ = nullptr;
};

/// A cell and the block whose body it is valid in.
struct CellRef {
  BlockReader reader;
  const Cell* cell;
};

/// Follows references to other blocks, windows into them and repeats, and returns the cell of the value itself. Does
/// not look into a Shared, which is a value of its own.
inline CellRef resolve(BlockReader reader, const Cell& cell) noexcept {
  CellRef ref{reader, &cell};
  while (ref.cell->tag() >= Tag::reference) {
    if (ref.cell->tag() == Tag::window) {
      const Cell& seen = ref.reader.window(*ref.cell);
      ref = {ref.reader.window_block(*ref.cell), &seen};
    } else if (ref.cell->tag() == Tag::repeat) {
      ref.cell = &ref.reader.repeated(*ref.cell);
    } else {
      const Reference& reference = ref.reader.reference(*ref.cell);
      if (reference.type->kind != ReferenceKind::block) break;
      ref.reader = BlockReader(static_cast<const Block*>(reference.object));
      ref.cell = &ref.reader.root();
    }
  }
  return ref;
}

/// Resolves likewise, and replaces a Shared by its content.
inline CellRef resolve_through(BlockReader reader, const Cell& cell) noexcept {
  CellRef ref = resolve(reader, cell);
  while (ref.cell->tag() == Tag::shared) {
    const BlockReader inside(static_cast<const Block*>(ref.reader.reference(*ref.cell).object));
    ref = resolve(inside, inside.root());
  }
  return ref;
}

/// Returns what a cell with a payload or elements shows; other cells show nothing outside themselves.
inline Content content_of(BlockReader reader, const Cell& cell) noexcept {
  return {reader.payload(cell), cell.head & ~Cell::repeated_mark};
}

/// Returns true if other cells of the value may show the same content as `ref`, which was resolved from a cell of
/// `from`: it is in another block, or marked as repeated.
inline bool may_recur(BlockReader from, const CellRef& ref) noexcept {
  return ref.reader.block() != from.block() ||
         ((ref.cell->has_payload() || ref.cell->has_elements()) && ref.cell->is_repeated());
}

/// Returns the width of a text's code points from its tag.
constexpr TextKind text_kind(Tag tag) noexcept {
  const Tag first = tag >= Tag::ascii ? Tag::ascii : Tag::short_ascii;
  return static_cast<TextKind>(static_cast<unsigned>(tag) - static_cast<unsigned>(first));
}

}  // namespace xichan::internal
