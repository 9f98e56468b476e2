// Converts a value that may have references to one body without references: the content of a dump.
//
// Algorithm: like an encoder, one walk that counts and one that writes, breadth first, here over cells. Blocks, windows
// and Shareds are written in place; payloads and containers at the same address are written once. A value seen through
// a window is converted to its canonical representation (C3). Indexes lose their tables. Progress: time proportional to
// the size of the value in memory.
#pragma once

#include "arena/block.h"
#include "base/worklist.h"
#include "value/cell.h"
#include "xichan/export.h"
#include "xichan/status.h"

namespace xichan::internal {

/// A part of a value that cannot leave the process, and its position.
struct UnportableValue {
  Tag tag = Tag::empty;                      // `queue`, `reference` for an endpoint, `record` for a pickle, or `empty`
  ReferenceKind end = ReferenceKind::block;  // kind of the endpoint
  Worklist<std::uint64_t> steps;             // indices of cells, innermost first; empty for the value itself
};

/// Flattens the value of `cell`, a cell outside a body, into `flat`, which owns its own reference. Returns `invalid`
/// and sets `unportable` if the value contains an endpoint, a Queue or a pickle; `no_memory`, `arena_full` or
/// `too_large`.
///
/// Thread safety: that of reading the blocks of `cell`.
XICHAN_API Status flatten(const Cell& cell, Cell& flat, UnportableValue& unportable) noexcept;

}  // namespace xichan::internal
