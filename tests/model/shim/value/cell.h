// Stands in for src/value/cell.h in the models of the channel: a message is a number.
#pragma once

#include <cstdint>

namespace xichan::internal {

struct Cell {
  static constexpr std::uint64_t heavy = 40;  // from this number on messages cost two, the others one

  std::uint64_t word = 0;
  std::uint64_t unused = 0;  // as large as a real cell

  Cell() = default;
  Cell(std::uint64_t value) : word(value) {}
  static Cell none() { return {}; }
  operator std::uint64_t() const { return word; }  // for the checker's history
};

}  // namespace xichan::internal
