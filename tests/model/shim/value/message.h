// Stands in for src/value/message.h in the models of the channel: a message is a number, and giving it back is counted.
#pragma once

#include <cstdint>

#include "base/atomic.h"

namespace xichan {

struct Cell {
  std::uint64_t word = 0;

  Cell() = default;
  Cell(std::uint64_t value) : word(value) {}
  operator std::uint64_t() const { return word; }  // for the checker's history
};

enum class ReferenceKind : std::uint8_t { block, sender, receiver };

struct ReferenceType {
  ReferenceKind kind;
  void (*release)(void* object) noexcept;
};

/// Defined by the model.
void release(const Cell& cell) noexcept;

}  // namespace xichan
