// Marks memory that must not be accessed for AddressSanitizer: cached blocks, and the bytes behind a block's end.
// Thread safety: called by the owner of the memory.
#pragma once

#include <cstdint>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

namespace xichan::internal {

inline void poison([[maybe_unused]] void* memory, [[maybe_unused]] std::uint64_t bytes) noexcept {
#ifdef __SANITIZE_ADDRESS__
  __asan_poison_memory_region(memory, bytes);
#endif
}

/// Makes the first `bytes` of `size` bytes accessible and poisons the rest.
inline void unpoison([[maybe_unused]] void* memory, [[maybe_unused]] std::uint64_t bytes,
                     [[maybe_unused]] std::uint64_t size) noexcept {
#ifdef __SANITIZE_ADDRESS__
  __asan_unpoison_memory_region(memory, bytes);
  __asan_poison_memory_region(static_cast<char*>(memory) + bytes, size - bytes);
#endif
}

}  // namespace xichan::internal
