// Memory of the arena to write into, which then becomes a value without being copied.
#pragma once

#include <cstddef>
#include <span>

#include "xichan/value.h"

namespace xichan {

/// Bytes to be filled in. Thread safety: one thread at a time. Progress: nothing here waits.
class XICHAN_API Buffer {
 public:
  /// An empty one.
  Buffer() noexcept = default;
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer();

  /// Room for `size` bytes, their content arbitrary until it is written: `ok | no_memory | arena_full | too_large`,
  /// with `out` as it was.
  static Status make(std::size_t size, Buffer& out) noexcept;

  /// Where to write; empty after `freeze`.
  std::span<std::byte> data() noexcept;

  /// The first `size` bytes (at the most all) as a value of kind `bytes`, in place: O(1), but for clearing what is left
  /// over. The buffer is empty afterwards.
  Value freeze(std::size_t size = SIZE_MAX) noexcept;

 private:
  void* block_ = nullptr;
};

}  // namespace xichan
