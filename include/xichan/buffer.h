// Writable memory of the arena that becomes a value, or moves to a receiver, without a copy.
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

  /// Takes the memory out of a value of kind `buffer`, which another thread or interpreter sent. Returns `not_found` if
  /// it was taken before or the value has another kind, and leaves `out` unchanged then. Any number of threads may
  /// read the value; one of them gets the memory.
  static Status take(ValueView view, Buffer& out) noexcept;
  /// Makes a value of kind `buffer` that owns the memory, and empties the buffer. Python receives it as a
  /// `xichan.Buffer`. Returns `invalid` for an empty buffer, `no_memory` or `arena_full`; then nothing changes.
  Status move_to(Value& out) noexcept;

  /// Returns the writable bytes; empty after `freeze` or `move_to`.
  std::span<std::byte> data() noexcept;

  /// Converts the first `size` bytes (all, if there are fewer) to a value of kind `bytes` in place, and empties the
  /// buffer. O(1), apart from clearing the bytes that remain.
  Value freeze(std::size_t size = SIZE_MAX) noexcept;

 private:
  void* block_ = nullptr;
};

}  // namespace xichan
