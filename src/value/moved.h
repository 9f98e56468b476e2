// What a message moves to one receiver: the memory of a Buffer, or a descriptor.
//
// Ownership: such a content has one owner at any moment. A send moves it from the sender's object to a Moved, which the
// reference table of the message owns. The first reader that makes an object of it takes the content out. A send that
// fails takes it out too, before it releases the message. A content that is still inside when the message is freed is
// released with it.
//
// A message may have several readers (views of it, clones of a C++ Value), but the content has one taker. A Moved is
// never used twice: sending the content again makes another one. So a view of an old message does not reach the
// content.
#pragma once

#include "arena/arena.h"
#include "value/block_reader.h"
#include "xichan/export.h"

namespace xichan::internal {

/// A kind of content. One constant object per kind.
struct MovedType {
  ReferenceType reference;  // of the entries in reference tables, which are Moved; `release_moved` releases one
  const char* name;         // of the class of the objects, without its module
  void (*release)(void* content) noexcept;
};

/// Thread safety: any thread that holds a reference to the message, or owns it before it is sent.
class Moved {
 public:
  /// Takes over a content, which is not null.
  Moved(const MovedType& type, void* content) noexcept : type_(type), content_(content) {}
  Moved(const Moved&) = delete;
  Moved& operator=(const Moved&) = delete;
  ~Moved() {
    if (void* content = take()) type_.release(content);
  }

  /// Returns the content, which the caller owns then; null if it was taken before.
  void* take() noexcept {
    // (21) acquire: one caller gets the content, after the accesses of the thread that returned it in (22). The channel
    // orders the accesses of the sender before this.
    return content_.exchange(nullptr, memory_order_acquire);
  }
  /// Undoes `take`.
  void restore(void* content) noexcept {
    content_.store(content, memory_order_release);  // (22) for (21) of another taker
  }

  const MovedType& type() const noexcept { return type_; }
  /// Returns an entry of a reference table that owns this object.
  Reference as_reference() noexcept { return {&type_.reference, this}; }

 private:
  const MovedType& type_;
  atomic<void*> content_;
};

inline void release_moved(void* object) noexcept { delete static_cast<Moved*>(object); }

/// The content is a block whose root is a cell of tag `bytes` of any length, and whose only reference is owned.
XICHAN_API extern const MovedType moved_buffer;
/// The content is an OwnedDescriptor (endpoint/owned_descriptor.h).
XICHAN_API extern const MovedType moved_descriptor;

constexpr bool is_moved(ReferenceKind kind) noexcept {
  return kind == ReferenceKind::buffer || kind == ReferenceKind::descriptor;
}

/// Returns the Moved that a cell in the body of a block refers to; null for any other cell.
inline Moved* moved_of(const CellRef& place) noexcept {
  if (place.cell->tag() != Tag::reference) return nullptr;
  const Reference& reference = place.reader.reference(*place.cell);
  return is_moved(reference.type->kind) ? static_cast<Moved*>(reference.object) : nullptr;
}

/// Returns the content of that type, which the caller owns then; null for any other cell, or if it was taken before.
inline void* take_moved(const CellRef& place, const MovedType& type) noexcept {
  Moved* const moved = moved_of(place);
  return moved != nullptr && &moved->type() == &type ? moved->take() : nullptr;
}

}  // namespace xichan::internal
