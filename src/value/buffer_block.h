// The block of a Buffer, which has the layout of a value of kind `bytes` from the start: freezing it writes one cell.
//
// Thread safety: that of the block.
#pragma once

#include <cstring>
#include <span>

#include "arena/arena.h"
#include "base/checked.h"
#include "value/block_reader.h"

namespace xichan::internal {

/// Alignment of the content in memory, for NumPy, SIMD instructions and cache lines.
inline constexpr std::uint64_t content_alignment = 64;

/// Allocates the block of a Buffer. Its root is a cell of tag `bytes`, also for a length that fits a short cell; the
/// content is not initialized, and the rest of the body is zero.
inline Status allocate_buffer(std::uint64_t length, Block*& block) noexcept {
  if (length > max_length) return Status::too_large;
  // With room to align the content.
  CheckedSize size(sizeof(Cell) + content_alignment);
  const Status status = Arena::allocate(size.add(length).value(), 0, block);
  if (status != Status::ok) return status;
  const auto body = reinterpret_cast<std::uintptr_t>(block->body());
  const std::uint64_t offset = align_up(body + sizeof(Cell), content_alignment) - body;
  const Cell root = Cell::of(Tag::bytes, length, offset);
  std::memset(block->body(), 0, offset);
  std::memcpy(block->body(), &root, sizeof root);
  std::memset(block->body() + offset + length, 0, block->body_bytes() - offset - length);
  return Status::ok;
}

inline std::span<std::byte> buffer_content(Block* block) noexcept {
  const Cell& root = BlockReader(block).root();
  return {block->body() + root.word, static_cast<std::size_t>(root.length())};
}

}  // namespace xichan::internal
