// The cells of a body that is being checked: reads them at any address, and marks them.
//
// Thread safety: one thread at a time; the body must not change concurrently.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <span>

#include "value/cell.h"

namespace xichan::internal {

class BodyCells {
 public:
  explicit BodyCells(std::span<const std::byte> body) noexcept : body_(body) {}

  std::span<const std::byte> body() const noexcept { return body_; }
  Cell at(std::uint64_t offset) const noexcept {
    Cell cell;
    std::memcpy(&cell, &body_[offset], sizeof cell);
    return cell;
  }
  /// Returns the offset of the cell that describes the value: a `repeat` points to it. The repeat must be valid.
  std::uint64_t resolve(std::uint64_t offset) const noexcept {
    const Cell cell = at(offset);
    return cell.tag() == Tag::repeat ? cell.word : offset;
  }
  Cell resolved(std::uint64_t offset) const noexcept { return at(resolve(offset)); }

 private:
  const std::span<const std::byte> body_;
};

/// One bit for each cell of a body, allocated by the first `set`.
class CellBits {
 public:
  /// `end` is the offset after the last cell.
  explicit CellBits(std::uint64_t end) noexcept : words_(end / sizeof(Cell) / 64 + 1) {}

  bool test(std::uint64_t offset) const noexcept {
    return bits_ != nullptr && (bits_[offset / sizeof(Cell) / 64] >> offset / sizeof(Cell) % 64 & 1) != 0;
  }
  /// Returns false without memory.
  [[nodiscard]] bool set(std::uint64_t offset) noexcept {
    if (bits_ == nullptr) bits_.reset(new (std::nothrow) std::uint64_t[words_]());
    if (bits_ == nullptr) return false;
    bits_[offset / sizeof(Cell) / 64] |= std::uint64_t{1} << offset / sizeof(Cell) % 64;
    return true;
  }

 private:
  std::uint64_t words_;
  std::unique_ptr<std::uint64_t[]> bits_;
};

}  // namespace xichan::internal
