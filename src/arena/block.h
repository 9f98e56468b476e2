// A block: one immutable, refcounted allocation holding a larger value.
//
// In memory:  Block header | body (body_bytes, a multiple of 16) | reference table (reference_count entries)
//
// The body is position-independent: it names its parts by their offsets from its first byte. Objects that a body cannot
// contain (other blocks, endpoints, memory of Buffers, descriptors) are entries of the reference table, and cells name
// them by index. A loan is an entry too: of an object whose memory a cell shows in place of a payload in the body
// (lender.h).
//
// Thread safety: one thread writes a block until it is published; from then on the block is read-only. Any thread may
// change the reference count.
//
// Invariants
//   B1  refs > 0 while a thread may read the block; the thread that takes it from 1 to 0 frees the block.
//   B2  body and reference table do not change after publication.
//   B3  each entry of the reference table owns one reference to its object.
//   B4  a block of 1024 bytes or more, header and table included, starts at a multiple of 64; any other at one of 16.
//   B5  refs never wraps around: once it has reached 2^31 (references from 32 GiB of memory) it stays above, and the
//       block is never freed. Calls that saw a lower count before change it by no more than the number of threads.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/atomic.h"

namespace xichan::internal {

enum class ReferenceKind : std::uint8_t { block, sender, receiver, buffer, loan, state, descriptor };

/// Lets the arena release a reference without knowing the type of its object. One constant object per kind.
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
  static constexpr std::uint64_t alignment = 16;             // of the block and its parts; see B4 for larger blocks
  static constexpr std::uint64_t large_alignment = 64;       // B4
  static constexpr std::uint64_t large_bytes = 1024;         // B4
  static constexpr std::uint32_t saturated = 1u << 31;       // B5
  static constexpr std::uint32_t saturated_refs = 3u << 30;  // B5: far from both ends of the range

  std::byte* body() noexcept { return reinterpret_cast<std::byte*>(this + 1); }
  const std::byte* body() const noexcept { return reinterpret_cast<const std::byte*>(this + 1); }
  std::uint64_t body_bytes() const noexcept { return body_bytes_; }

  Reference* references() noexcept { return reinterpret_cast<Reference*>(body() + body_bytes_); }
  const Reference* references() const noexcept { return reinterpret_cast<const Reference*>(body() + body_bytes_); }
  std::uint32_t reference_count() const noexcept { return reference_count_; }

  /// Returns the bytes charged to the arena, header and table included.
  std::uint64_t total_bytes() const noexcept {
    return sizeof(Block) + body_bytes_ + reference_count_ * sizeof(Reference);
  }

  /// Returns the bytes of the objects that the block shows without a copy. The block is not being freed.
  std::uint64_t lent_bytes() const noexcept { return lent_bytes_; }
  /// Adds to them, before the block is published.
  void add_lent_bytes(std::uint64_t bytes) noexcept { lent_bytes_ += bytes; }

 private:
  friend class Arena;

  Block(std::uint64_t body_bytes, std::uint32_t reference_count, std::uint64_t mapped_bytes) noexcept
      : refs_(1), reference_count_(reference_count), body_bytes_(body_bytes), mapped_bytes_(mapped_bytes) {}

  atomic<std::uint32_t> refs_;
  std::uint32_t reference_count_;
  std::uint64_t body_bytes_;
  union {
    std::uint64_t lent_bytes_ = 0;
    Block* next_disposed_;  // links dead blocks while their references are released
  };
  std::uint64_t mapped_bytes_;  // size of the allocation of a large block, else 0
};
static_assert(sizeof(Block) == 32 && sizeof(Reference) == 16);

}  // namespace xichan::internal
