// Ownership of a cell outside a body, which may own a reference to a block.
#pragma once

#include "arena/arena.h"
#include "value/cell.h"

namespace xichan::internal {

inline void retain(const Cell& cell) noexcept {
  if (cell.owns_block()) Arena::retain(cell.as_block());
}

/// Releases the block that the cell owns, if any. The caller must hold no lock of the core (see Arena::release).
inline void release(const Cell& cell) noexcept {
  if (cell.owns_block()) Arena::release(cell.as_block());
}

/// Returns the bytes that a message is charged against a channel's byte bound: those of its own block and of the lent
/// objects that this shows, not of blocks that it references, and 0 for a Shared.
inline std::uint64_t cost_of(const Cell& cell) noexcept {
  return cell.tag() == Tag::block ? cell.as_block()->total_bytes() + cell.as_block()->lent_bytes() : 0;
}

}  // namespace xichan::internal
