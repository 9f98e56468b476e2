// Buffers, and values that share a block: frozen buffers, parts of a value, and Shared.
#include "xichan/buffer.h"

#include <algorithm>
#include <new>
#include <utility>

#include "value/block_builder.h"
#include "value/buffer_block.h"
#include "value/message.h"
#include "value/moved.h"
#include "value/value_access.h"

namespace xichan {
namespace internal {
namespace {

void release_buffer(void* content) noexcept { Arena::release(static_cast<Block*>(content)); }

}  // namespace

constinit const MovedType moved_buffer{{ReferenceKind::buffer, release_moved}, "Buffer", release_buffer};

}  // namespace internal

using namespace internal;
namespace {

Block* as_block(void* block) noexcept { return static_cast<Block*>(block); }

}  // namespace

Buffer::Buffer(Buffer&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  Buffer moved(std::move(other));  // releases the previous content
  std::swap(block_, moved.block_);
  return *this;
}

Buffer::~Buffer() {
  if (block_ != nullptr) Arena::release(as_block(block_));
}

Status Buffer::make(std::size_t size, Buffer& out) noexcept {
  Block* block;
  const Status status = allocate_buffer(size, block);
  if (status != Status::ok) return status;
  Buffer made;
  made.block_ = block;
  out = std::move(made);
  return Status::ok;
}

Status Buffer::take(ValueView view, Buffer& out) noexcept {
  void* const block = take_moved({ValueAccess::reader(view), &ValueAccess::cell(view)}, moved_buffer);
  if (block == nullptr) return Status::not_found;
  Buffer taken;
  taken.block_ = block;
  out = std::move(taken);
  return Status::ok;
}

Status Buffer::move_to(Value& out) noexcept {
  if (block_ == nullptr) return Status::invalid;
  BlockBuilder builder;
  builder.count_reference();
  const Status status = builder.allocate();
  if (status != Status::ok) return status;
  auto* const moved = new (std::nothrow) Moved(moved_buffer, block_);
  if (moved == nullptr) return Status::no_memory;
  block_ = nullptr;
  builder.write_reference(builder.root(), moved->as_reference());
  ValueAccess::adopt(out, builder.finish());
  return Status::ok;
}

std::span<std::byte> Buffer::data() noexcept {
  return block_ == nullptr ? std::span<std::byte>() : buffer_content(as_block(block_));
}

Value Buffer::freeze(std::size_t size) noexcept {
  Value value;
  const auto bytes = data();
  size = std::min(size, bytes.size());
  if (fits_short(size, 1)) {  // C3
    ValueAccess::adopt(value, Cell::of_short(Tag::short_bytes, bytes.data(), size));
    *this = Buffer();
    return value;
  }
  Block* block = as_block(std::exchange(block_, nullptr));
  std::ranges::fill(bytes.subspan(size), std::byte{0});  // padding is zero
  Cell& root = *reinterpret_cast<Cell*>(block->body());
  root = Cell::of(Tag::bytes, size, root.word);
  ValueAccess::adopt(value, Cell::of_block(block));
  return value;
}

Status ValueView::to_value(Value& out) const noexcept {
  const Cell& cell = ValueAccess::cell(*this);
  const BlockReader reader = ValueAccess::reader(*this);
  if (cell.is_complete()) {
    ValueAccess::adopt(out, cell);
    return Status::ok;
  }
  auto* block = const_cast<Block*>(reader.block());  // only the reference count changes
  if (&cell == &reader.root()) {
    Arena::retain(block);
    ValueAccess::adopt(out, Cell::of_block(block));
    return Status::ok;
  }
  BlockBuilder builder;
  builder.count_window();
  const Status status = builder.allocate();
  if (status != Status::ok) return status;
  Arena::retain(block);
  builder.write_window(builder.root(), {&block_reference, block}, cell);
  ValueAccess::adopt(out, builder.finish());
  return Status::ok;
}

Status Value::share(Value& out) const noexcept {
  const Cell& cell = ValueAccess::cell(*this);
  if (cell.owns_block()) {
    retain(cell);
    ValueAccess::adopt(out, Cell::of_block(cell.as_block(), Tag::shared_block));
    return Status::ok;
  }
  BlockBuilder builder;
  const Status status = builder.allocate();
  if (status != Status::ok) return status;
  builder.root() = cell;
  ValueAccess::adopt(out, Cell::of_block(builder.finish().as_block(), Tag::shared_block));
  return Status::ok;
}

bool Value::is_shared() const noexcept { return ValueAccess::cell(*this).tag() == Tag::shared_block; }

}  // namespace xichan
