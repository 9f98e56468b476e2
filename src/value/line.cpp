#include "value/line.h"

#include <cstring>
#include <utility>

#include "arena/arena.h"
#include "base/checked.h"
#include "value/block_builder.h"

namespace xichan::internal {
namespace {

// The bytes of the value, without and with what follows it in a block.
struct Sizes {
  explicit Sizes(const Cell& cell) noexcept {
    const bool is_text = cell.tag() >= Tag::ascii && cell.tag() <= Tag::ucs4;
    const std::uint64_t unit = is_text ? text_width(text_kind(cell.tag())) : cell.has_payload() ? 1 : sizeof(Cell);
    value = cell.length() * unit;
    body = sizeof(Cell) + align_up(value + (is_text ? unit : 0), BlockBuilder::payload_alignment);
  }

  std::uint64_t value;
  std::uint64_t body;
};

constexpr std::uint64_t largest_body = sizeof(Cell) + Line::size + BlockBuilder::payload_alignment;

void fill(Block* block, Cell& cell) noexcept {
  std::memset(block->body(), 0, block->body_bytes());
  const Cell root = Cell::of(cell.tag(), cell.length(), sizeof(Cell));
  std::memcpy(block->body(), &root, sizeof root);
  std::memcpy(block->body() + sizeof root, line_of(cell).bytes, Sizes(cell).value);
  cell = Cell::of_block(block);
}

}  // namespace

Status move_to_block(Cell& cell) noexcept {
  Block* block;
  const Status status = Arena::allocate(Sizes(cell).body, 0, block);
  if (status == Status::ok) fill(block, cell);
  return status;
}

LineReserve::LineReserve(Status& status) noexcept { status = Arena::allocate(largest_body, 0, block_); }

LineReserve::~LineReserve() {
  if (block_ != nullptr) Arena::discard(block_);
}

void LineReserve::move_to_block(Cell& cell) noexcept {
  if (internal::move_to_block(cell) != Status::ok) fill(std::exchange(block_, nullptr), cell);
}

}  // namespace xichan::internal
