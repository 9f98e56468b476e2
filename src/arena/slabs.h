// Memory for blocks of up to 32 KiB, and for other objects of the process that come in thousands: slabs of 64 KiB
// (J. Bonwick, "The slab allocator", USENIX 1994), each divided into blocks of one size class.
//
// malloc is not used here, because it retains freed memory: blocks are freed in another order and on other threads than
// they were allocated, and malloc only returns memory from the top of a heap. A slab whose last block is freed returns
// its pages to the system at once, and becomes a free granule that any class may take. So the free memory that is
// retained is at most one slab for each block alive. Blocks are taken from the slab that is in use, then from the next
// one in the order of addresses that has a free block, and only then from a new one. The search goes on where it found
// the last one, so that its cost is spread over the slabs it passes. The magazines above (thread_cache.h) keep blocks
// that alternate between free and used away from here.
//
// Progress: lock-free apart from the system calls. Thread safety and fork: as Pages.
#pragma once

#include <cstddef>
#include <new>

#include "arena/size_class.h"
#include "base/checked.h"
#include "xichan/export.h"

namespace xichan::internal {

struct XICHAN_API Slabs {
  /// Returns memory for a block of a class, uninitialized; null without memory. Aligned to 64 from 1024 bytes on, else
  /// to 16.
  static void* allocate(unsigned size_class) noexcept;
  /// Returns memory of at least `bytes` bytes.
  static void* allocate_object(std::uint64_t bytes) noexcept;
  static void deallocate(void* memory) noexcept;
};

/// A base for objects of up to 32 KiB that lie in slabs. Create them with `new (std::nothrow)`.
struct InSlab {
#ifndef XICHAN_RELACY
  static void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return Slabs::allocate_object(bytes); }
  // A class whose size is a multiple of 64 is aligned to 64.
  static void* operator new(std::size_t bytes, std::align_val_t, const std::nothrow_t&) noexcept {
    return Slabs::allocate_object(align_up(bytes, 64));
  }
  static void operator delete(void* memory) noexcept { Slabs::deallocate(memory); }
  static void operator delete(void* memory, std::align_val_t) noexcept { Slabs::deallocate(memory); }
  static void operator delete(void* memory, const std::nothrow_t&) noexcept { Slabs::deallocate(memory); }
  static void operator delete(void* memory, std::align_val_t, const std::nothrow_t&) noexcept {
    Slabs::deallocate(memory);
  }
#endif
};

}  // namespace xichan::internal
