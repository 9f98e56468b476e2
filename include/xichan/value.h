// The values that channels carry: numbers, text, bytes, containers and records of these. Values are immutable; Python
// makes a new list or dict of each message. containers.h has readers for dicts, sets, records and arrays.
#pragma once

#include <compare>
#include <complex>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "xichan/export.h"
#include "xichan/status.h"

namespace xichan {

/// The kind of a value. Thread safety: a plain value.
enum class ValueKind : std::uint8_t {
  none,
  boolean,
  integer,      ///< fits in 64 bits
  big_integer,  ///< does not fit in 64 bits
  real,
  text,
  bytes,
  tuple,
  sender,    ///< an endpoint of a channel; open it with Sender::open
  receiver,  ///< an endpoint of a channel; open it with Receiver::open
  queue,     ///< a Python Queue; has the elements of a tuple: its endpoints and settings
  ellipsis,
  list,
  dict,         ///< read it with DictView
  frozen_dict,  ///< likewise
  set,          ///< read it with SetView
  frozen_set,   ///< likewise
  range,        ///< has three elements: start, stop, step
  slice,        ///< likewise
  complex,
  byte_array,
  array,       ///< an array.array, memoryview, or NumPy array or scalar; read it with ArrayView
  record,      ///< an object of a class; its elements are its fields; read it with RecordView
  buffer,      ///< writable memory, for one receiver: Buffer::take
  state,       ///< an object that interpreters share, such as a Map: Map::open, StateBase::kind_of
  descriptor,  ///< a file descriptor, for one receiver: Descriptor::take
};

/// What an array is in Python. Thread safety: a plain value.
enum class ArrayType : std::uint8_t {
  array,       ///< array.array
  memoryview,  ///< read-only
  ndarray,     ///< a NumPy array in C order
  fortran,     ///< a NumPy array in Fortran order
  scalar,      ///< a NumPy scalar
};

namespace internal {
struct ValueAccess;

// Throws std::bad_alloc; a program that is compiled without exceptions aborts.
[[noreturn]] inline void throw_bad_alloc() {
#ifdef __cpp_exceptions
  throw std::bad_alloc();
#else
  std::abort();
#endif
}

template <class T>
concept Character = std::same_as<T, char> || std::same_as<T, wchar_t> || std::same_as<T, char8_t> ||
                    std::same_as<T, char16_t> || std::same_as<T, char32_t>;
}  // namespace internal

class Value;

/// Reads a value in place; every access is O(1) except for text conversion. Valid while the Value that it came from
/// exists and is not moved from. An accessor `as_...` of another kind returns zero, false or empty; the checked
/// accessor `get_...` returns std::nullopt.
///
/// A value that Python shared (`xichan.share`) reads like its content, without a copy.
///
/// Thread safety: values are immutable; any number of threads may read one. Progress: no function blocks.
class XICHAN_API ValueView {
 public:
  class Iterator;

  /// Views None.
  ValueView() noexcept : ValueView(nullptr, none_) {}

  ValueKind kind() const noexcept;

  bool as_bool() const noexcept;
  std::int64_t as_integer() const noexcept;
  /// Returns an integer from 0 to 2^64 - 1, of either integer kind; else 0.
  std::uint64_t as_unsigned() const noexcept;
  double as_real() const noexcept;
  /// Returns ASCII text in place; empty if the text has other characters.
  std::string_view as_ascii() const noexcept;
  std::complex<double> as_complex() const noexcept;
  /// Returns the content of `bytes` or `byte_array`, or the two's complement of `big_integer`: little endian, a
  /// multiple of 8 bytes.
  std::span<const std::byte> as_bytes() const noexcept;

  std::optional<bool> get_bool() const noexcept { return get(ValueKind::boolean, &ValueView::as_bool); }
  std::optional<std::int64_t> get_integer() const noexcept { return get(ValueKind::integer, &ValueView::as_integer); }
  /// Returns an integer from 0 to 2^64 - 1, of either integer kind.
  std::optional<std::uint64_t> get_unsigned() const noexcept {
    const std::uint64_t value = as_unsigned();
    if (value == 0 && get_integer() != 0) return std::nullopt;
    return value;
  }
  std::optional<double> get_real() const noexcept { return get(ValueKind::real, &ValueView::as_real); }
  /// Returns ASCII text in place; std::nullopt for text with other characters too.
  std::optional<std::string_view> get_ascii() const noexcept {
    const std::string_view text = as_ascii();
    if (kind() != ValueKind::text || text.size() != size()) return std::nullopt;
    return text;
  }
  std::optional<std::span<const std::byte>> get_bytes() const noexcept {
    return get(ValueKind::bytes, &ValueView::as_bytes);
  }
  /// Returns the text in UTF-8; throws std::bad_alloc.
  std::optional<std::string> get_text() const { return get(ValueKind::text, &ValueView::utf8); }
  /// Returns element `i` of a value with elements.
  std::optional<ValueView> get_item(std::size_t i) const noexcept;

  /// Returns the number of code points of text, bytes of bytes or a byte_array, entries of a dict, or elements; else 0.
  std::size_t size() const noexcept;
  /// Returns the number of elements of a tuple, list, set, queue, range or slice, or of fields of a record; else 0.
  std::size_t elements() const noexcept;
  /// Returns element `i`; None if `i` is out of range or the value has no elements.
  ValueView operator[](std::size_t i) const noexcept;
  /// Iterate over the elements; an empty range for a value without. DictView iterates over a dict.
  Iterator begin() const noexcept;
  Iterator end() const noexcept;

  /// Returns the size of the text in UTF-8. A lone surrogate, which Python's str may contain, is encoded in three bytes
  /// (like "surrogatepass").
  std::size_t utf8_size() const noexcept;
  /// Writes utf8_size() bytes to `out`, without a NUL.
  void write_utf8(char* out) const noexcept;
  /// Returns the text in UTF-8; throws std::bad_alloc.
  std::string utf8() const {
    std::string text(utf8_size(), '\0');
    write_utf8(text.data());
    return text;
  }

  /// Makes a Value that shares the content of the view, in O(1). Returns `ok | no_memory | arena_full`; leaves `out`
  /// unchanged unless `ok`.
  Status to_value(Value& out) const noexcept;

  /// Compares two values for equal kind and content. Numbers compare as in C++ (NaN equals nothing, -0.0 equals 0.0),
  /// an integer never equals a real, and endpoints are equal if they are the same side of the same channel. A container
  /// always equals itself. The order of dicts and sets does not matter; their keys compare as in Python. Returns `ok |
  /// no_memory` (for very deeply nested values); leaves `out` unchanged unless `ok`. O(size), without recursion; but
  /// O(size^2) for keys that have no index (DictView::find), and of those, keys within keys within keys compare in
  /// order.
  static Status equal(ValueView one, ValueView other, bool& out) noexcept;
  /// Compares likewise; throws std::bad_alloc for `no_memory`.
  friend bool operator==(ValueView one, ValueView other) {
    bool result;
    if (equal(one, other, result) != Status::ok) internal::throw_bad_alloc();
    return result;
  }

 private:
  friend struct internal::ValueAccess;
  ValueView(const void* block, const void* cell) noexcept : block_(block), cell_(cell) {}

  template <class T>
  std::optional<T> get(ValueKind expected, T (ValueView::*read)() const) const {
    return kind() == expected ? std::optional<T>((this->*read)()) : std::nullopt;
  }
  template <class T>
  std::optional<T> get(ValueKind expected, T (ValueView::*read)() const noexcept) const noexcept {
    return kind() == expected ? std::optional<T>((this->*read)()) : std::nullopt;
  }

  static const std::uint64_t none_[2];

  const void* block_;
  const void* cell_;
};

class Dump;

/// A random-access iterator over the elements of a value. Valid as long as its view.
class ValueView::Iterator {
 public:
  using value_type = ValueView;
  using difference_type = std::ptrdiff_t;
  using iterator_category = std::input_iterator_tag;  // dereferencing returns values, not references
  using iterator_concept = std::random_access_iterator_tag;

  Iterator() noexcept = default;
  Iterator(ValueView tuple, std::ptrdiff_t index) noexcept : tuple_(tuple), index_(index) {}

  ValueView operator*() const noexcept { return tuple_[static_cast<std::size_t>(index_)]; }
  ValueView operator[](std::ptrdiff_t i) const noexcept { return *(*this + i); }
  Iterator& operator++() noexcept { return *this += 1; }
  Iterator& operator--() noexcept { return *this -= 1; }
  Iterator operator++(int) noexcept { return std::exchange(*this, *this + 1); }
  Iterator operator--(int) noexcept { return std::exchange(*this, *this - 1); }
  Iterator& operator+=(std::ptrdiff_t by) noexcept {
    index_ += by;
    return *this;
  }
  Iterator& operator-=(std::ptrdiff_t by) noexcept { return *this += -by; }
  friend Iterator operator+(Iterator i, std::ptrdiff_t by) noexcept { return i += by; }
  friend Iterator operator+(std::ptrdiff_t by, Iterator i) noexcept { return i += by; }
  friend Iterator operator-(Iterator i, std::ptrdiff_t by) noexcept { return i -= by; }
  friend std::ptrdiff_t operator-(const Iterator& a, const Iterator& b) noexcept { return a.index_ - b.index_; }
  friend bool operator==(const Iterator& a, const Iterator& b) noexcept { return a.index_ == b.index_; }
  friend auto operator<=>(const Iterator& a, const Iterator& b) noexcept { return a.index_ <=> b.index_; }

 private:
  ValueView tuple_;
  std::ptrdiff_t index_ = 0;
};

inline ValueView::Iterator ValueView::begin() const noexcept { return {*this, 0}; }
inline ValueView::Iterator ValueView::end() const noexcept { return {*this, static_cast<std::ptrdiff_t>(elements())}; }

inline std::optional<ValueView> ValueView::get_item(std::size_t i) const noexcept {
  if (i >= elements()) return std::nullopt;
  return (*this)[i];
}

struct ValueEntry;

/// Owns one value. Copying is explicit (`clone`) and O(1): copies share their content, a reference-counted block of the
/// process's arena.
///
/// Thread safety: one thread at a time per Value; different Values may share their content. Progress: no function
/// blocks, apart from the allocator.
class XICHAN_API Value {
 public:
  /// Makes None.
  Value() noexcept;
  Value(Value&& other) noexcept;
  Value& operator=(Value&& other) noexcept;
  ~Value();

  template <std::same_as<bool> T>
  static Value of(T value) noexcept {
    return from_bool(value);
  }
  /// Takes every integer type whose values fit in 64 bits with a sign.
  template <std::integral T>
    requires(!std::same_as<T, bool> && !internal::Character<T> && sizeof(T) <= 8 &&
             (std::signed_integral<T> || sizeof(T) < 8))
  static Value of(T value) noexcept {
    return from_integer(static_cast<std::int64_t>(value));
  }
  /// A character is neither an integer nor text: convert it to one of them, or pass a string.
  template <internal::Character T>
  static Value of(T value) = delete;
  /// Takes float and double.
  template <std::floating_point T>
    requires(sizeof(T) <= sizeof(double))
  static Value of(T value) noexcept {
    return from_real(value);
  }

  // The following functions may allocate. They leave `out` unchanged if they return `no_memory`, `arena_full` or
  // `too_large`.

  /// Makes an unsigned 64-bit integer.
  static Status unsigned_integer(std::uint64_t value, Value& out) noexcept;
  /// Makes an integer of any size from its two's complement, little endian; empty `data` means 0.
  static Status integer(std::span<const std::byte> data, Value& out) noexcept;

  /// Makes text. Returns `invalid` if `utf8` is malformed; accepts lone surrogates in their three-byte form.
  static Status text(std::string_view utf8, Value& out) noexcept;
  static Status bytes(std::span<const std::byte> data, Value& out) noexcept;
  /// Makes a tuple that shares the content of its items, in O(number of items).
  static Status tuple(std::span<const Value> items, Value& out) noexcept;

  // The following containers share the content of their items, like `tuple`.

  static Status list(std::span<const Value> items, Value& out) noexcept;
  /// Makes a dict in this order. Returns `invalid` if two keys are equal, or a key is a list, dict, set, byte_array or
  /// array, or a tuple with one of these.
  static Status dict(std::span<const ValueEntry> entries, Value& out) noexcept;
  static Status frozen_dict(std::span<const ValueEntry> entries, Value& out) noexcept;
  /// Makes a set. Returns `invalid` for elements that cannot be keys of a dict.
  static Status set(std::span<const Value> items, Value& out) noexcept;
  static Status frozen_set(std::span<const Value> items, Value& out) noexcept;

  static Value ellipsis() noexcept;
  static Status byte_array(std::span<const std::byte> data, Value& out) noexcept;
  static Status complex(std::complex<double> value, Value& out) noexcept;
  /// Makes a range; returns `invalid` if `step` is 0.
  static Status range(std::int64_t start, std::int64_t stop, std::int64_t step, Value& out) noexcept;
  /// Makes a slice from its start, stop and step.
  static Status slice(const Value& start, const Value& stop, const Value& step, Value& out) noexcept;
  /// Makes an array. `format` is as ArrayView::format returns it, and the content has the size that the shape
  /// requires; else returns `invalid`.
  static Status array(ArrayType type, std::string_view format, std::span<const std::size_t> shape,
                      std::span<const std::byte> content, Value& out) noexcept;

  /// Makes the type of the records of a class, to be used for many of them. Python makes an object of the class from
  /// the fields if `form` is "fields"; docs/reference/block-format.md has the other forms.
  static Status record_type(std::string_view module, std::string_view name, std::span<const std::string_view> fields,
                            Value& out, std::string_view form = "fields") noexcept;
  /// Makes a record. `type` is a result of record_type(), or the number of a standard type as an integer. Returns
  /// `invalid` for any other type, and unless the fields are those of the type.
  static Status record(const Value& type, std::span<const Value> fields, Value& out) noexcept;

  /// Makes a tuple of numbers, bools, text (UTF-8, anything convertible to std::string_view), bytes (a span of
  /// std::byte), Values and views; no single characters. It shares the content of Values; a Value that is moved in
  /// becomes None if `ok`. Returns `invalid` for malformed text.
  template <class... Items>
  static Status pack(Value& out, Items&&... items) noexcept {
    Value values[sizeof...(Items) + 1];  // one more, because an array must not be empty
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

  /// Makes a shared value of the same content, like `xichan.share(value)` in Python: sending it costs nothing of a
  /// channel's `max_bytes`, and Python receives a `Shared`. In C++ it reads like this value.
  Status share(Value& out) const noexcept;
  bool is_shared() const noexcept;

  /// Returns a Value that shares the content of this one, in O(1).
  Value clone() const noexcept;
  /// Returns a view that is valid while this Value exists and is not moved from.
  ValueView view() const& noexcept;
  /// The view of a temporary would dangle.
  ValueView view() const&& = delete;
  friend bool operator==(const Value& one, const Value& other) { return one.view() == other.view(); }

  /// Serializes the value for storage or another process; `load` and Python's xichan.loads read the result. Returns
  /// `invalid` if the value contains an endpoint or a Queue; `no_memory`, `arena_full` or `too_large`; leaves `out`
  /// unchanged unless `ok`. Does not copy a value that references no other block.
  Status dump(Dump& out) const noexcept;
  /// Reads the output of `dump` or of Python's xichan.dumps. Returns `invalid` for any other input: `data` may come
  /// from an untrusted source, need not be aligned and may change concurrently. Allocates the size of `data`; returns
  /// `no_memory` or `arena_full` if that fails. Leaves `out` unchanged unless `ok`.
  static Status load(std::span<const std::byte> data, Value& out) noexcept;

 private:
  friend class Dump;
  friend class Sender;
  friend class Receiver;
  friend struct internal::ValueAccess;

  template <class T>
  static void consume(T&& item) noexcept {
    if constexpr (std::same_as<T, Value>) item = Value();  // a non-const rvalue
  }
  template <class T>
  static Status make(const T& item, Value& out) noexcept {
    static_assert(!internal::Character<T>,
                  "expected an item of a tuple, found a character: convert it to an integer "
                  "type, or pass a string");
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

/// An entry of a dict, for Value::dict. Thread safety: that of Value.
struct ValueEntry {
  Value key;
  Value value;
};

/// A serialized value in two parts, to be written one after the other.
///
/// Thread safety: one thread at a time.
class XICHAN_API Dump {
 public:
  /// Makes the dump of None.
  Dump() noexcept;

  std::span<const std::byte> header() const noexcept { return std::as_bytes(std::span(header_)); }
  std::span<const std::byte> body() const noexcept;
  /// Returns the size of both parts in bytes.
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
