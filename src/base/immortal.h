// Process-wide objects that are never destroyed: threads may still use them while the process ends.
#pragma once

#include <cstddef>
#include <new>

namespace xichan::internal {

/// Returns the one `T` of the process, constructed at the first call. Thread-safe; the constructor must not throw.
template <class T>
T& immortal() noexcept {
  alignas(T) static std::byte memory[sizeof(T)];
  static T* const instance = new (memory) T;
  return *instance;
}

}  // namespace xichan::internal
