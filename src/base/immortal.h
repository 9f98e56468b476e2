// Process-wide objects that are never destroyed, because threads may use them while the process exits.
#pragma once

#include <cstddef>
#include <new>

namespace xichan::internal {

/// Returns the process's only `T`, constructed by the first call. Thread-safe; the constructor must not throw.
template <class T>
T& immortal() noexcept {
  alignas(T) static std::byte memory[sizeof(T)];
  static T* const instance = new (memory) T;
  return *instance;
}

}  // namespace xichan::internal
