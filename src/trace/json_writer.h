// Text in JSON on its way to a descriptor.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

namespace xichan::internal {

/// Thread safety: one thread at a time. After an error of write() it writes nothing more.
class JsonWriter {
 public:
  explicit JsonWriter(int descriptor) noexcept : descriptor_(descriptor), buffer_(new(std::nothrow) char[room]) {}

  void text(std::string_view text) noexcept;
  void number(std::uint64_t value) noexcept;
  /// Writes nanoseconds, not negative, as microseconds.
  void time(std::int64_t nanoseconds) noexcept;
  /// Writes a string, with the bytes that are not UTF-8 as '?'.
  void quoted(std::string_view text) noexcept;
  /// Returns 0, or the number of the first error: ENOMEM, or that of write().
  int finish() noexcept;

 private:
  static constexpr std::size_t room = 1 << 16;

  void flush() noexcept;

  const int descriptor_;
  const std::unique_ptr<char[]> buffer_;
  std::size_t used_ = 0;
  int error_ = 0;
};

}  // namespace xichan::internal
