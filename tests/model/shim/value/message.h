// Stands in for src/value/message.h in the models of the channel: releasing a message is counted.
#pragma once

#include <cstdint>

#include "base/atomic.h"
#include "value/cell.h"

namespace xichan::internal {

#ifndef XICHAN_MODEL_HAS_BLOCKS  // else arena/block.h declares them
enum class ReferenceKind : std::uint8_t { block, sender, receiver };

struct ReferenceType {
  ReferenceKind kind;
  void (*release)(void* object) noexcept;
};
#endif

/// Defined by the model.
void retain(const Cell& cell) noexcept;
void release(const Cell& cell) noexcept;

inline std::uint64_t cost_of(const Cell& cell) noexcept { return cell.word < Cell::heavy ? 1 : 2; }

}  // namespace xichan::internal
