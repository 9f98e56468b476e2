// A block: one immutable, refcounted allocation holding a larger value.
//
// In memory:  Block header | body (body_bytes, a multiple of 16) | reference table (reference_count entries)
//
// The body is position-independent: inside it everything is named by its offset from the body's first byte. What a
// body cannot hold by itself (other blocks, channel ends) stands in the reference table, and cells name it by index.
//
// Thread safety: a block is written by one thread until it is published, and read-only from then on; the count may be
// changed by any thread.
//
// Invariants
//   B1  refs > 0 while anyone may look at the block; whoever takes it from 1 to 0 disposes of it.
//   B2  body and reference table do not change after publication.
//   B3  entries of the reference table own one count of what they name.
//   B4  a block of 1024 bytes or more, header and table included, starts at a multiple of 64; any other of 16.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/atomic.h"

namespace xichan::internal {

enum class ReferenceKind : std::uint8_t { block, sender, receiver };

/// How the arena gives back what a reference names, without knowing what it is. One constant object per kind.
struct ReferenceType {
  ReferenceKind kind;
  void (*release)(void* object) noexcept;
};

struct Reference {
  const ReferenceType* type;
  void* object;
};

class Block {
 public:
  static constexpr std::uint64_t alignment = 16;        // of the block and its parts (but see B4)
  static constexpr std::uint64_t large_alignment = 64;  // B4
  static constexpr std::uint64_t large_bytes = 1024;    // B4

  std::byte* body() noexcept { return reinterpret_cast<std::byte*>(this + 1); }
  const std::byte* body() const noexcept { return reinterpret_cast<const std::byte*>(this + 1); }
  std::uint64_t body_bytes() const noexcept { return body_bytes_; }

  Reference* references() noexcept { return reinterpret_cast<Reference*>(body() + body_bytes_); }
  const Reference* references() const noexcept { return reinterpret_cast<const Reference*>(body() + body_bytes_); }
  std::uint32_t reference_count() const noexcept { return reference_count_; }

  /// What the block costs the arena, header and table included.
  std::uint64_t total_bytes() const noexcept {
    return sizeof(Block) + body_bytes_ + reference_count_ * sizeof(Reference);
  }

 private:
  friend class Arena;

  Block(std::uint64_t body_bytes, std::uint32_t reference_count, std::uint64_t mapped_bytes) noexcept
      : refs_(1), reference_count_(reference_count), body_bytes_(body_bytes), mapped_bytes_(mapped_bytes) {}

  atomic<std::uint32_t> refs_;
  std::uint32_t reference_count_;
  std::uint64_t body_bytes_;
  Block* next_doomed_ = nullptr;  // links dead blocks while their references are given back
  std::uint64_t mapped_bytes_;    // of a block that was mapped from the system, else 0
};
static_assert(sizeof(Block) == 32 && sizeof(Reference) == 16);

}  // namespace xichan::internal
