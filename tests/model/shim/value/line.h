// Stands in for src/value/line.h in the models of the channel: the line of a message holds the same number.
#pragma once

#include "base/atomic.h"
#include "value/cell.h"
#include "xichan/status.h"

namespace xichan::internal {

struct Line {
  std::uint64_t word;

  Line(std::uint64_t value = 0) : word(value) {}
  operator std::uint64_t() const { return word; }  // for the checker's history
};

inline bool has_line(const Cell&) noexcept { return true; }
inline void attach(Cell& cell, const Line& line) noexcept { RL_ASSERT(line.word == 0 || line.word == cell.word); }

struct LineReserve {
  explicit LineReserve(Status& status) noexcept { status = Status::ok; }
  void move_to_block(Cell&) noexcept {}
};

}  // namespace xichan::internal
