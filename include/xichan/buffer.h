// Writable memory of the arena that becomes a value without a copy.
#pragma once

#include <cstddef>
#include <span>

#include "xichan/value.h"

namespace xichan {

/// A writable byte buffer. Thread safety: one thread at a time. Progress: no function blocks.
class XICHAN_API Buffer {
 public:
  /// Makes an empty buffer.
  Buffer() noexcept = default;
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer();

  /// Allocates a buffer of `size` uninitialized bytes. Returns `ok | no_memory | arena_full | too_large`; leaves `out`
  /// unchanged unless `ok`.
  static Status make(std::size_t size, Buffer& out) noexcept;

  /// Returns the writable bytes; empty after `freeze`.
  std::span<std::byte> data() noexcept;

  /// Converts the first `size` bytes (all, if there are fewer) to a value of kind `bytes` in place, and empties the
  /// buffer. O(1), apart from clearing the bytes that remain.
  Value freeze(std::size_t size = SIZE_MAX) noexcept;

 private:
  void* block_ = nullptr;
};

}  // namespace xichan
