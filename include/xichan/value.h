// Values as channels carry them: none, bool, int, float, text, bytes and tuples of these, encoded once and immutable.
#pragma once

#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "xichan/export.h"
#include "xichan/status.h"

namespace xichan {

/// What a value is. Thread safety: a plain value.
enum class ValueKind : std::uint8_t {
  none,
  boolean,
  integer,      ///< fits 64 bits
  big_integer,  ///< does not
  real,
  text,
  bytes,
  tuple,
  sender,    ///< an end of a channel, which Sender::open opens
  receiver,  ///< likewise, Receiver::open
  queue,     ///< a Queue of Python's, which has the elements of a tuple: its ends and settings
};

namespace internal {
struct ValueAccess;
}  // namespace internal

class Value;

/// Reads a value in place; every access is O(1) but for text conversion. Valid while the Value that it came from lives
/// and is not moved from. A wrong accessor for the kind answers zero, false or empty.
///
/// What Python shared (`xichan.share`) reads like its content: nothing is copied either way.
///
/// Thread safety: values are immutable; any number of threads may read one. Progress: nothing here waits.
class XICHAN_API ValueView {
 public:
  class Iterator;

  /// None.
  ValueView() noexcept : ValueView(nullptr, none_) {}

  ValueKind kind() const noexcept;

  bool as_bool() const noexcept;
  std::int64_t as_integer() const noexcept;
  /// An integer from 0 to 2^64 - 1, of either kind of integer.
  std::uint64_t as_unsigned() const noexcept;
  double as_real() const noexcept;
  /// Text that is all ASCII, in place; of other text, and the empty one, nothing.
  std::string_view as_ascii() const noexcept;
  /// The content of `bytes`; of `big_integer` its two's complement, little endian, a multiple of 8 bytes.
  std::span<const std::byte> as_bytes() const noexcept;

  /// Code points of text, bytes of bytes, elements of a tuple or queue; else 0.
  std::size_t size() const noexcept;
  /// Element `i` of a tuple or queue; none beyond its end, and of anything else.
  ValueView operator[](std::size_t i) const noexcept;
  /// The elements of a tuple or queue in their order; nothing of anything else.
  Iterator begin() const noexcept;
  Iterator end() const noexcept;

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

  /// A Value of what is seen, sharing its content: O(1), whatever its size. `ok | no_memory | arena_full`, with `out`
  /// as it was.
  Status to_value(Value& out) const noexcept;

  /// Whether two values are of the same kind and content: numbers as C++ compares them (a NaN equals nothing, and -0.0
  /// equals 0.0), an integer never a real, ends if they are the same side of the same channel. A tuple equals itself.
  /// `ok | no_memory` (for tuples nested very deep), with `out` as it was. O(size), without recursion.
  static Status equal(ValueView one, ValueView other, bool& out) noexcept;
  /// The same; throws std::bad_alloc for `no_memory`.
  friend bool operator==(ValueView one, ValueView other) {
    bool result;
    if (equal(one, other, result) != Status::ok) throw std::bad_alloc();
    return result;
  }

 private:
  friend struct internal::ValueAccess;
  ValueView(const void* block, const void* cell) noexcept : block_(block), cell_(cell) {}

  static const std::uint64_t none_[2];

  const void* block_;
  const void* cell_;
};

class Dump;

/// Walks the elements of a tuple, with random access. Valid as long as the view of the tuple.
class ValueView::Iterator {
 public:
  using value_type = ValueView;
  using difference_type = std::ptrdiff_t;
  using iterator_category = std::input_iterator_tag;  // it gives values, not references
  using iterator_concept = std::random_access_iterator_tag;

  Iterator() noexcept = default;
  Iterator(ValueView tuple, std::ptrdiff_t place) noexcept : tuple_(tuple), place_(place) {}

  ValueView operator*() const noexcept { return tuple_[static_cast<std::size_t>(place_)]; }
  ValueView operator[](std::ptrdiff_t i) const noexcept { return *(*this + i); }
  Iterator& operator++() noexcept { return *this += 1; }
  Iterator& operator--() noexcept { return *this -= 1; }
  Iterator operator++(int) noexcept { return std::exchange(*this, *this + 1); }
  Iterator operator--(int) noexcept { return std::exchange(*this, *this - 1); }
  Iterator& operator+=(std::ptrdiff_t by) noexcept {
    place_ += by;
    return *this;
  }
  Iterator& operator-=(std::ptrdiff_t by) noexcept { return *this += -by; }
  friend Iterator operator+(Iterator i, std::ptrdiff_t by) noexcept { return i += by; }
  friend Iterator operator+(std::ptrdiff_t by, Iterator i) noexcept { return i += by; }
  friend Iterator operator-(Iterator i, std::ptrdiff_t by) noexcept { return i -= by; }
  friend std::ptrdiff_t operator-(const Iterator& a, const Iterator& b) noexcept { return a.place_ - b.place_; }
  friend bool operator==(const Iterator& a, const Iterator& b) noexcept { return a.place_ == b.place_; }
  friend auto operator<=>(const Iterator& a, const Iterator& b) noexcept { return a.place_ <=> b.place_; }

 private:
  ValueView tuple_;
  std::ptrdiff_t place_ = 0;
};

inline ValueView::Iterator ValueView::begin() const noexcept { return {*this, 0}; }
inline ValueView::Iterator ValueView::end() const noexcept {
  const ValueKind k = kind();
  return {*this, k == ValueKind::tuple || k == ValueKind::queue ? static_cast<std::ptrdiff_t>(size()) : 0};
}

/// Owns one value. Copying is explicit (`clone`) and O(1): copies share their content, which lies in a block of the
/// process's arena and is counted there.
///
/// Thread safety: one thread at a time for a Value; different Values may share their content. Progress: nothing here
/// waits; what needs memory takes as long as the allocator.
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
    requires(!std::same_as<T, bool> && sizeof(T) <= 8 && (std::signed_integral<T> || sizeof(T) < 8))
  static Value of(T value) noexcept {
    return from_integer(static_cast<std::int64_t>(value));
  }
  /// float and double.
  template <std::floating_point T>
    requires(sizeof(T) <= sizeof(double))
  static Value of(T value) noexcept {
    return from_real(value);
  }

  // The following may need memory: `no_memory`, `arena_full` or `too_large` leave `out` as it was.

  /// Any integer of 64 bits without a sign.
  static Status unsigned_integer(std::uint64_t value, Value& out) noexcept;
  /// An integer of any size from its two's complement, little endian; no bytes stand for 0.
  static Status integer(std::span<const std::byte> data, Value& out) noexcept;

  /// `invalid` if the text is no well-formed UTF-8; lone surrogates in their three-byte form are taken.
  static Status text(std::string_view utf8, Value& out) noexcept;
  static Status bytes(std::span<const std::byte> data, Value& out) noexcept;
  /// The tuple shares the content of its items; O(number of items).
  static Status tuple(std::span<const Value> items, Value& out) noexcept;

  /// A tuple of what is given: numbers, bools, text (UTF-8, whatever makes a string_view), bytes (a span of std::byte),
  /// Values (which it shares; one that is moved in is none afterwards, if `ok`) and views. `invalid` for malformed
  /// text.
  template <class... Items>
  static Status pack(Value& out, Items&&... items) noexcept {
    Value values[sizeof...(Items) + 1];  // one more, because there are no arrays of nothing
    std::size_t next = 0;
    Status status = Status::ok;
    (void)((status = make(std::as_const(items), values[next++]), status == Status::ok) && ...);
    Value packed;
    if (status == Status::ok) status = tuple({values, sizeof...(Items)}, packed);
    if (status != Status::ok) return status;
    (consume(std::forward<Items>(items)), ...);
    out = std::move(packed);
    return status;
  }

  /// Makes what Python calls `xichan.share(value)`, of the same content: a message of it costs a channel's `max_bytes`
  /// nothing, and Python receives a `Shared`. In C++ it reads as before.
  Status share(Value& out) const noexcept;
  bool is_shared() const noexcept;

  /// O(1); the content is shared, not copied.
  Value clone() const noexcept;
  /// Valid while this Value lives and is not moved from.
  ValueView view() const noexcept;
  friend bool operator==(const Value& one, const Value& other) { return one.view() == other.view(); }

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
  friend struct internal::ValueAccess;

  template <class T>
  static void consume(T&& item) noexcept {
    if constexpr (std::same_as<T, Value>) item = Value();  // an rvalue that is not constant
  }
  template <class T>
  static Status make(const T& item, Value& out) noexcept {
    if constexpr (std::same_as<T, Value>) {
      out = item.clone();
    } else if constexpr (std::same_as<T, ValueView>) {
      return item.to_value(out);
    } else if constexpr (requires { of(item); }) {
      out = of(item);
    } else if constexpr (std::unsigned_integral<T> && sizeof(T) <= 8) {
      return unsigned_integer(item, out);
    } else if constexpr (std::convertible_to<const T&, std::string_view>) {
      return text(item, out);
    } else {
      return bytes(item, out);
    }
    return Status::ok;
  }

  static Value from_bool(bool value) noexcept;
  static Value from_integer(std::int64_t value) noexcept;
  static Value from_real(double value) noexcept;

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
