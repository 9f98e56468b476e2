// Owning a cell that is not in a body: it may hold a count of a block.
#pragma once

#include "arena/arena.h"
#include "value/cell.h"

namespace xichan::internal {

inline void retain(const Cell& cell) noexcept {
  if (cell.owns_block()) Arena::retain(cell.as_block());
}

/// Gives back what the cell owns. No lock of the core may be held (see Arena::release).
inline void release(const Cell& cell) noexcept {
  if (cell.owns_block()) Arena::release(cell.as_block());
}

/// What a message is charged against a channel's byte bound: its own block, not the blocks that this refers to, and
/// nothing for a Shared.
inline std::uint64_t cost_of(const Cell& cell) noexcept {
  return cell.tag() == Tag::block ? cell.as_block()->total_bytes() : 0;
}

}  // namespace xichan::internal
