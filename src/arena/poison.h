// Tells AddressSanitizer which memory nobody may touch: blocks kept for reuse, and what lies behind a block's end.
// Thread safety: whoever owns the memory.
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

/// `bytes` of `size` may be touched, the rest not.
inline void unpoison([[maybe_unused]] void* memory, [[maybe_unused]] std::uint64_t bytes,
                     [[maybe_unused]] std::uint64_t size) noexcept {
#ifdef __SANITIZE_ADDRESS__
  __asan_unpoison_memory_region(memory, bytes);
  __asan_poison_memory_region(static_cast<char*>(memory) + bytes, size - bytes);
#endif
}

}  // namespace xichan::internal
