// The memory of a Buffer that was sent: a message refers to it, and one receiver takes it out.
//
// Ownership: the block of a Buffer has one owner at any moment. A send moves it from the sender's Buffer to a
// MovedBuffer, which the reference table of the message owns. The first reader that makes a Buffer of it takes the
// block out. A send that fails takes it out too, before it releases the message. A block that is still inside when the
// message is freed is released with it.
//
// A message may have several readers (views of it, clones of a C++ Value), but the block has one taker. The object is
// never used twice: sending the Buffer again makes another one. So a view of an old message does not reach the block.
#pragma once

#include "arena/arena.h"
#include "value/block_reader.h"

namespace xichan::internal {

/// Thread safety: any thread that holds a reference to the message, or owns it before it is sent.
class MovedBuffer {
 public:
  /// Takes over a block whose root is a cell of tag `bytes` of any length, and whose only reference the caller owns.
  explicit MovedBuffer(Block* block) noexcept : block_(block) {}
  MovedBuffer(const MovedBuffer&) = delete;
  MovedBuffer& operator=(const MovedBuffer&) = delete;
  ~MovedBuffer() {
    if (Block* block = take()) Arena::release(block);
  }

  /// Returns the block, which the caller owns then; null if it was taken before.
  Block* take() noexcept {
    // (21) acquire: one caller gets the block, after the accesses of the thread that returned it in (22). The channel
    // orders the accesses of the sender before this.
    return block_.exchange(nullptr, memory_order_acquire);
  }
  /// Undoes `take`.
  void restore(Block* block) noexcept {
    block_.store(block, memory_order_release);  // (22) for (21) of another taker
  }

 private:
  atomic<Block*> block_;
};

/// The type of references to a MovedBuffer.
XICHAN_API extern const ReferenceType buffer_reference;

/// Returns the MovedBuffer that a cell in the body of a block refers to; null for any other cell.
inline MovedBuffer* moved_buffer(const CellRef& place) noexcept {
  if (place.cell->tag() != Tag::reference) return nullptr;
  const Reference& reference = place.reader.reference(*place.cell);
  return reference.type == &buffer_reference ? static_cast<MovedBuffer*>(reference.object) : nullptr;
}

}  // namespace xichan::internal
