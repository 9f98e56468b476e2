// Computes how many cells a value takes when it is written out, without visiting a shared part twice. A value of a few
// objects may expand to 2^60 cells, because tuples are shared in memory but written out in a block.
#pragma once

#include <cstdint>

#include "base/checked.h"
#include "base/content_map.h"
#include "base/worklist.h"

namespace xichan::internal {

/// A tuple to expand. `Source` identifies it for the caller.
template <class Source>
struct ExpandedTuple {
  Source source;
  std::uint64_t length;
  const void* shared;  // with the length: identifies a tuple that may occur more than once; else null

  Content content() const noexcept { return {shared, length}; }
};

/// Returns the number of cells below `root`, or UINT64_MAX if it is larger, if a tuple contains itself, or if memory is
/// exhausted. `child(tuple, i, found)` returns true and sets `found` if element `i` is a tuple with elements.
template <class Source, class Child>
std::uint64_t expanded_cells(const ExpandedTuple<Source>& root, Child child) noexcept {
  struct Frame {
    ExpandedTuple<Source> tuple;
    std::uint64_t next;
    CheckedSize cells;
  };
  constexpr std::uint64_t open = UINT64_MAX;  // of a tuple that is being visited
  Worklist<Frame> frames;
  ContentMap<std::uint64_t> known;  // cells plus one
  if (root.shared != nullptr) {
    std::uint64_t* const cells = known.insert(root.content());
    if (cells == nullptr) return UINT64_MAX;
    *cells = open;
  }
  if (!frames.push({root, 0, CheckedSize(root.length)})) return UINT64_MAX;
  for (;;) {
    Frame& frame = *(frames.end() - 1);
    if (frame.cells.overflowed()) return UINT64_MAX;
    if (frame.next == frame.tuple.length) {
      const std::uint64_t cells = frame.cells.value();
      if (frame.tuple.shared != nullptr) *known.find(frame.tuple.content()) = cells + 1;
      frames.pop();
      if (frames.empty()) return cells;
      (frames.end() - 1)->cells.add(cells);
      continue;
    }
    ExpandedTuple<Source> found;
    if (!child(frame.tuple, frame.next++, found)) continue;
    if (found.shared != nullptr) {
      std::uint64_t* const cells = known.insert(found.content());
      if (cells == nullptr || *cells == open) return UINT64_MAX;
      if (*cells != 0) {
        frame.cells.add(*cells - 1);
        continue;
      }
      *cells = open;
    }
    if (!frames.push({found, 0, CheckedSize(found.length)})) return UINT64_MAX;
  }
}

}  // namespace xichan::internal
