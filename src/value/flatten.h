// One body without references from a value that may have some: what a dump writes.
//
// Algorithm: as an encoder, one walk that counts and one that writes, breadth first, here over cells. Blocks, windows
// and Shareds are written in place; payloads that lie at the same address are written once. What is looked at through a
// window is brought to its one representation (C3). Progress: time proportional to the value written out.
#pragma once

#include "arena/block.h"
#include "base/worklist.h"
#include "value/cell.h"
#include "xichan/export.h"
#include "xichan/status.h"

namespace xichan::internal {

/// Where in a value something stands that cannot leave the process, and what it is.
struct UnportableValue {
  Tag tag = Tag::empty;                      // `queue`, or `reference` for an end; `empty` for none
  ReferenceKind end = ReferenceKind::block;  // of an end: which
  Worklist<std::uint64_t> steps;             // indices, the innermost first; none for the value itself
};

/// Makes `flat`, which owns a count of its own, from what `cell`, one outside any body, describes. `invalid` if an end
/// or a Queue is in it, which `stay` tells then; `no_memory`, `arena_full` or `too_large`.
///
/// Thread safety: as reading the blocks of `cell`.
XICHAN_API Status flatten(const Cell& cell, Cell& flat, UnportableValue& stay) noexcept;

}  // namespace xichan::internal
