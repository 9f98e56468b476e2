// Builds one block in two phases: the first counts, then one allocation of the exact size is filled.
//
//   body:  root cell | cells of the containers, in the order they are opened | payloads, each 8-byte aligned
//
// The caller walks its value twice in the same order (breadth first, so no recursion is needed): it calls `count_*` for
// each leaf and container, then `allocate`, then `write_*` for each. A builder that is destroyed before `finish`
// releases the block and its references.
//
// A payload or container that occurs more than once is counted and written once; `write_repeat` writes its further
// cells. A dict or set of more than `largest_unindexed` entries has one more cell, for its index (index.h).
//
// Thread safety: one thread at a time. `allocate` checks all sizes; the second walk must match the first.
#pragma once

#include <cassert>
#include <cstring>

#include "arena/arena.h"
#include "base/checked.h"
#include "base/large_copy.h"
#include "value/cell.h"
#include "value/index.h"

namespace xichan::internal {

class BlockBuilder {
 public:
  static constexpr std::uint64_t payload_alignment = 8;

  /// With `tables` false the indexes of large dicts and sets have no table: the body is to be dumped.
  explicit BlockBuilder(bool tables = true) noexcept : tables_(tables) {}
  BlockBuilder(const BlockBuilder&) = delete;
  BlockBuilder& operator=(const BlockBuilder&) = delete;
  ~BlockBuilder() {
    if (block_ == nullptr) return;
    for (std::uint32_t i = 0; i < next_reference_; ++i) {
      const Reference& reference = block_->references()[i];
      reference.type->release(reference.object);
    }
    Arena::discard(block_);
  }

  /// Count a tuple, or any other container, of `length` cells.
  void count_tuple(std::uint64_t length) noexcept {
    count_length(length);
    cells_.add_product(length, sizeof(Cell));
  }
  /// Count a dict (two cells an entry) or set of `entries`, with its index.
  void count_hashed(std::uint64_t entries, unsigned entry_cells) noexcept {
    lengths_ |= entries | entries << 2;
    const bool indexed = entries > largest_unindexed;
    count_tuple(entries * entry_cells + indexed);
    if (indexed && tables_) payload_.add(index_bytes(entries)).align(payload_alignment);
  }
  void count_text(TextKind kind, std::uint64_t length) noexcept {
    count_length(length);
    payload_.add_product(length, text_width(kind)).add(text_width(kind)).align(payload_alignment);
  }
  void count_bytes(std::uint64_t length) noexcept {
    count_length(length);
    payload_.add(length).align(payload_alignment);
  }
  void count_reference() noexcept { ++reference_total_; }
  void count_window() noexcept {
    count_reference();
    payload_.add(sizeof(Cell));
  }

  /// Undo an earlier count of the same size, for a payload that turns out to be a repeat.
  void uncount_text(TextKind kind, std::uint64_t length) noexcept {
    payload_.subtract(align_up((length + 1) * text_width(kind), payload_alignment));
  }
  void uncount_bytes(std::uint64_t length) noexcept { payload_.subtract(align_up(length, payload_alignment)); }

  /// Return the bytes counted so far, of cells only or of the whole body; meaningless once a sum has overflowed.
  std::uint64_t counted_cells() const noexcept { return cells_.value(); }
  std::uint64_t counted() const noexcept { return sizeof(Cell) + cells_.value() + payload_.value(); }

  Status allocate() noexcept {
    CheckedSize body(sizeof(Cell));
    body.add(cells_.value()).add(payload_.value());
    if (lengths_ > max_length || cells_.overflowed() || payload_.overflowed() || body.overflowed()) {
      return Status::too_large;
    }
    const Status status = Arena::allocate(body.value(), reference_total_, block_);
    if (status != Status::ok) return status;
    next_cell_ = sizeof(Cell);
    next_payload_ = next_cell_ + cells_.value();
    // The body includes the bytes that the arena added when it rounded up the size.
    std::memset(block_->body() + body.value(), 0, block_->body_bytes() - body.value());
    return Status::ok;
  }

  Cell& root() noexcept { return *cell_at(0); }

  /// Makes `cell` a tuple, or another container, of `length` cells. Returns the address of its cells.
  Cell* write_tuple(Cell& cell, std::uint64_t length, Tag tag = Tag::tuple) noexcept {
    const std::uint64_t empty = tag == Tag::tuple ? 0 : offset_of(cell);  // C6
    cell = Cell::of(tag, length, length == 0 ? empty : next_cell_);
    Cell* cells = cell_at(next_cell_);
    next_cell_ += length * sizeof(Cell);
    return cells;
  }
  /// Writes `length` code points of the kind's width. With null `data`, the caller fills them in at the returned
  /// address.
  void* write_text(Cell& cell, TextKind kind, const void* data, std::uint64_t length) noexcept {
    const unsigned width = text_width(kind);
    return write_payload(cell, text_tag(kind), data, length, length * width, width);
  }
  void write_bytes(Cell& cell, const void* data, std::uint64_t length) noexcept {
    write_payload(cell, Tag::bytes, data, length, length, 0);
  }
  /// Does the same, for a value that may have many MiB.
  void write_large_bytes(Cell& cell, const void* data, std::uint64_t length) noexcept {
    copy_payload(write_payload(cell, Tag::bytes, nullptr, length, length, 0), data, length);
  }
  /// Returns the address of an int of `length` bytes (a multiple of 8), which the caller fills in.
  void* write_big_int(Cell& cell, std::uint64_t length) noexcept {
    assert(length % payload_alignment == 0);
    return write_payload(cell, Tag::big_int, nullptr, length, length, 0);
  }
  /// Makes `cell` a dict or set. Returns the address of its cells: first those of its entries, which the caller fills
  /// in. `write_index` must follow once they are.
  Cell* write_hashed(Cell& cell, std::uint64_t entries, Tag tag) noexcept {
    const unsigned entry_cells = Cell::of(tag).entry_cells();
    return write_tuple(cell, entries * entry_cells + (entries > largest_unindexed), tag);
  }
  /// Fills the index of a dict or set whose keys are written; does nothing for a small one. Keys that are containers
  /// must be written at any depth, so call it at the end.
  void write_index(const Cell& cell) noexcept {
    if (!cell.is_indexed()) return;
    Cell& index = cell_at(cell.word)[cell.length() - 1];
    index = Cell::of(Tag::index);
    if (!tables_) return;
    std::byte* const table = block_->body() + next_payload_;
    const std::uint64_t bytes = align_up(index_bytes(cell.entries()), payload_alignment);
    std::memset(table, 0, bytes);
    if (fill_index(BlockReader(block_), cell, table)) {
      index = Cell::of(Tag::index, index_slots(cell.entries()), next_payload_);
    }
    next_payload_ += bytes;
  }
  /// Makes `cell` a back-reference to `first`, an earlier cell of this body that has a payload or elements.
  void write_repeat(Cell& cell, Cell& first) noexcept {
    assert((first.has_payload() || first.has_elements()) && &first < &cell);
    first.mark_repeated();
    cell = Cell::of(Tag::repeat, 0, offset_of(first));
  }
  /// Makes `cell` a text or bytes of which the payload is the memory of a lent object. Moves `loan`, which is counted
  /// as a reference, into the block. A text ends in a NUL there, too.
  void write_loan(Cell& cell, Tag tag, std::uint64_t length, const void* data, std::uint64_t bytes,
                  Reference loan) noexcept {
    cell = Cell::of(tag, length,
                    reinterpret_cast<std::uintptr_t>(data) - reinterpret_cast<std::uintptr_t>(block_->body()));
    block_->references()[next_reference_++] = loan;
    block_->add_lent_bytes(bytes);
  }
  /// Moves `reference` into the block. `tag` may be `shared` for a reference to a block.
  void write_reference(Cell& cell, Reference reference, Tag tag = Tag::reference) noexcept {
    cell = Cell::of(tag, 0, next_reference_);
    block_->references()[next_reference_++] = reference;
  }
  /// Makes `cell` a window: it describes the same value as `seen`, a cell that is valid in the body of another block.
  /// Moves `reference`, to that other block, into this one.
  void write_window(Cell& cell, Reference reference, const Cell& seen) noexcept {
    cell = Cell::of(Tag::window, next_reference_, next_payload_);
    std::memcpy(block_->body() + next_payload_, &seen, sizeof seen);
    next_payload_ += sizeof seen;
    block_->references()[next_reference_++] = reference;
  }

  /// Returns the finished block as a cell that owns its only reference.
  Cell finish() noexcept {
    assert(next_reference_ == reference_total_ && next_payload_ <= block_->body_bytes());
    Block* block = block_;
    block_ = nullptr;
    return Cell::of_block(block);
  }

 private:
  void count_length(std::uint64_t length) noexcept { lengths_ |= length; }

  std::uint64_t offset_of(const Cell& cell) const noexcept {
    return static_cast<std::uint64_t>(reinterpret_cast<const std::byte*>(&cell) - block_->body());
  }
  Cell* cell_at(std::uint64_t offset) noexcept { return reinterpret_cast<Cell*>(block_->body() + offset); }

  std::byte* write_payload(Cell& cell, Tag tag, const void* data, std::uint64_t length, std::uint64_t bytes,
                           unsigned extra) noexcept {
    cell = Cell::of(tag, length, next_payload_);
    std::byte* payload = block_->body() + next_payload_;
    const std::uint64_t end = align_up(bytes + extra, payload_alignment);
    // The NUL and the padding lie within the last 8 bytes: one store before the data is cheaper than clearing exactly
    // those bytes.
    if (end != 0) std::memset(payload + end - payload_alignment, 0, payload_alignment);
    if (data != nullptr) std::memcpy(payload, data, bytes);
    next_payload_ += end;
    return payload;
  }

  CheckedSize cells_;
  CheckedSize payload_;
  const bool tables_;
  std::uint64_t reference_total_ = 0;
  std::uint64_t lengths_ = 0;  // all counted, by a bitwise or: above `max_length` if one of them is

  Block* block_ = nullptr;
  std::uint64_t next_cell_ = 0;
  std::uint64_t next_payload_ = 0;
  std::uint32_t next_reference_ = 0;
};

}  // namespace xichan::internal
