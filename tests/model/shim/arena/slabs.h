// Stands in for src/arena/slabs.h in the models: the model of the thread caches provides the blocks, and objects come
// from the checker's memory.
#pragma once

namespace xichan::internal {

struct Slabs {
  static void* allocate(unsigned size_class) noexcept;
  static void deallocate(void* memory) noexcept;
};

struct InSlab {};

}  // namespace xichan::internal
