// The line of a message: what a small value has outside its cell, in a place of its own beside a ring's slot, so that
// it needs no block. It holds the text, bytes or int, or the cells of a tuple, each self-contained.
//
// A cell that comes with a line has the tag and length of the value. Once it is received, its word is the address of
// the receiver's copy of the line: the cell is valid as long as that, and owns nothing.
#pragma once

#include "arena/block.h"
#include "value/cell.h"
#include "xichan/export.h"
#include "xichan/status.h"

namespace xichan::internal {

/// Thread safety: a plain value.
struct alignas(8) Line {
  static constexpr std::size_t size = 64;
  static constexpr std::size_t most_cells = size / sizeof(Cell);

  Line() noexcept {}  // leaves it uninitialized

  Cell* cells() noexcept { return reinterpret_cast<Cell*>(bytes); }
  const Cell* cells() const noexcept { return reinterpret_cast<const Cell*>(bytes); }

  char bytes[size];
};

/// For a cell outside a body: returns true if it comes with a line.
inline bool has_line(const Cell& cell) noexcept { return !cell.is_complete() && !cell.owns_block(); }

/// Makes a received cell refer to the receiver's copy of its line, if it has one.
inline void attach(Cell& cell, const Line& line) noexcept {
  if (has_line(cell)) cell.word = reinterpret_cast<std::uintptr_t>(&line);
}
inline const Line& line_of(const Cell& cell) noexcept {
  return *reinterpret_cast<const Line*>(static_cast<std::uintptr_t>(cell.word));
}

/// Makes a received cell own a block with its value instead of referring to a line. Fails as Arena::allocate does; then
/// the cell stays as it is.
XICHAN_API Status move_to_block(Cell& cell) noexcept;

/// Memory that is set aside for the value of a line, before it is received.
class XICHAN_API LineReserve {
 public:
  explicit LineReserve(Status& status) noexcept;
  LineReserve(const LineReserve&) = delete;
  LineReserve& operator=(const LineReserve&) = delete;
  ~LineReserve();

  /// Moves the value of a line to a block, as the function of this name does; uses the reserved memory if that fails.
  void move_to_block(Cell& cell) noexcept;

 private:
  Block* block_;
};

}  // namespace xichan::internal
