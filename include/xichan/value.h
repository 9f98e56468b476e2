// Values as channels carry them: none, bool, int, float, text, bytes and tuples of these, encoded once and immutable.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "xichan/export.h"
#include "xichan/status.h"

namespace xichan {

enum class Kind : std::uint8_t {
  none,
  boolean,
  integer,      ///< fits 64 bits
  big_integer,  ///< does not
  real,
  text,
  bytes,
  tuple,
  sender,    ///< an end of a channel; held, but not opened by this interface
  receiver,  ///< likewise
};

/// Reads a value in place; every access is O(1) but for text conversion. Valid while the Value that it came from lives.
/// A wrong accessor for the kind answers zero, false or empty.
///
/// Thread safety: values are immutable; any number of threads may read one.
class XICHAN_API ValueView {
 public:
  Kind kind() const noexcept;

  bool as_bool() const noexcept;
  std::int64_t as_integer() const noexcept;
  double as_real() const noexcept;
  /// The content of `bytes`; of `big_integer` its two's complement, little endian, a multiple of 8 bytes.
  std::span<const std::byte> as_bytes() const noexcept;

  /// Code points of text, bytes of bytes, elements of a tuple; else 0.
  std::size_t size() const noexcept;
  /// Element `i` < size() of a tuple.
  ValueView operator[](std::size_t i) const noexcept;

  /// Text in UTF-8. A lone surrogate, which Python's str may hold, becomes its three-byte form (as "surrogatepass").
  std::size_t utf8_size() const noexcept;
  /// Writes utf8_size() bytes to `out`, and no NUL.
  void write_utf8(char* out) const noexcept;
  /// The same as a string; throws std::bad_alloc.
  std::string utf8() const {
    std::string text(utf8_size(), '\0');
    write_utf8(text.data());
    return text;
  }

 private:
  friend class Value;
  ValueView(const void* block, const void* cell) noexcept : block_(block), cell_(cell) {}

  const void* block_;
  const void* cell_;
};

class Dump;

/// Owns one value. Copying is explicit (`clone`) and O(1).
///
/// Thread safety: one thread at a time for a Value; different Values may share their content.
class XICHAN_API Value {
 public:
  /// None.
  Value() noexcept;
  Value(Value&& other) noexcept;
  Value& operator=(Value&& other) noexcept;
  ~Value();

  template <std::same_as<bool> T>
  static Value of(T value) noexcept {
    return from_bool(value);
  }
  /// Every integer type whose values fit 64 bits with a sign.
  template <std::integral T>
    requires(!std::same_as<T, bool> && (std::signed_integral<T> || sizeof(T) < 8))
  static Value of(T value) noexcept {
    return from_integer(static_cast<std::int64_t>(value));
  }
  static Value of(double value) noexcept;

  // The following may need memory: `no_memory`, `arena_full` or `too_large` leave `out` as it was.

  /// `invalid` if the text is no well-formed UTF-8; lone surrogates in their three-byte form are taken.
  static Status text(std::string_view utf8, Value& out) noexcept;
  static Status bytes(std::span<const std::byte> data, Value& out) noexcept;
  /// The tuple shares the content of its items; O(number of items).
  static Status tuple(std::span<const Value> items, Value& out) noexcept;

  Value clone() const noexcept;
  ValueView view() const noexcept;

  /// The value as bytes that may leave the process, to be stored or sent and read by `load` or Python's xichan.loads.
  /// `invalid` if an end of a channel is in it, or what is made of ends; `no_memory`, `arena_full` or `too_large`. Then
  /// `out` is as it was. A value that refers to no other is not copied.
  Status dump(Dump& out) const noexcept;
  /// Reads what `dump` or Python's xichan.dumps wrote. `invalid` for everything else: all of `data` is checked, may
  /// come from anywhere, need not be aligned and may even change meanwhile. Takes as much memory as `data` is long;
  /// `no_memory` or `arena_full` if there is none. Then `out` is as it was.
  static Status load(std::span<const std::byte> data, Value& out) noexcept;

 private:
  friend class Dump;
  friend class Sender;
  friend class Receiver;

  static Value from_bool(bool value) noexcept;
  static Value from_integer(std::int64_t value) noexcept;

  std::uint64_t cell_[2];  // a Cell of src/value/cell.h
};

/// A dumped value: two parts, to be written one after the other.
///
/// Thread safety: one thread at a time.
class XICHAN_API Dump {
 public:
  /// The dump of None.
  Dump() noexcept;

  std::span<const std::byte> header() const noexcept { return std::as_bytes(std::span(header_)); }
  std::span<const std::byte> body() const noexcept;
  /// Bytes of both parts.
  std::size_t size() const noexcept { return header().size() + body().size(); }
  /// Writes size() bytes to `out`.
  void write(std::byte* out) const noexcept;

 private:
  friend class Value;
  explicit Dump(Value flat) noexcept;

  Value flat_;
  std::uint64_t header_[2];
};

}  // namespace xichan
