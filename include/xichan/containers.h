// Readers of dicts, sets, records and arrays. Like ValueView they read in place, and are valid as long as the Value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "xichan/export.h"
#include "xichan/value.h"

namespace xichan {

/// Reads a dict or frozendict; any other value reads as an empty one. Iterates over its entries in their order.
///
///     for (const auto [key, value] : DictView(view)) ...
///
/// Thread safety and progress: those of ValueView.
class XICHAN_API DictView {
 public:
  struct Entry {
    ValueView key;
    ValueView value;
  };
  class Iterator;

  explicit DictView(ValueView dict) noexcept : view(dict) {}

  ValueView view;

  std::size_t size() const noexcept;
  bool empty() const noexcept { return size() == 0; }
  /// Returns entry `i` in the order of the dict; None and None if `i` is out of range.
  Entry entry(std::size_t i) const noexcept;
  Iterator begin() const noexcept;
  Iterator end() const noexcept;

  /// Returns the value of a key, which compares as in Python: 1, 1.0 and true are the same key. O(1) on average,
  /// without reading other entries. For a key other than None, bool, number, text, bytes, Ellipsis or a short tuple of
  /// these, and in a dict with such keys, O(size) comparisons. Throws std::bad_alloc.
  std::optional<ValueView> find(ValueView key) const;
  /// Finds text (UTF-8).
  std::optional<ValueView> find(std::string_view key) const;
  std::optional<ValueView> find(std::int64_t key) const { return find_in_place(Value::of(key)); }
  template <class Key>
  bool contains(const Key& key) const {
    return find(key).has_value();
  }

 private:
  std::optional<ValueView> find_in_place(const Value& key) const { return find(key.view()); }
};

/// A forward iterator over the entries of a dict.
class DictView::Iterator {
 public:
  using value_type = Entry;
  using difference_type = std::ptrdiff_t;
  using iterator_category = std::input_iterator_tag;  // dereferencing returns values, not references
  using iterator_concept = std::forward_iterator_tag;

  Iterator() noexcept : dict_(ValueView()) {}
  Iterator(DictView dict, std::size_t index) noexcept : dict_(dict), index_(index) {}

  Entry operator*() const noexcept { return dict_.entry(index_); }
  Iterator& operator++() noexcept {
    ++index_;
    return *this;
  }
  Iterator operator++(int) noexcept { return {dict_, index_++}; }
  friend bool operator==(const Iterator& a, const Iterator& b) noexcept { return a.index_ == b.index_; }

 private:
  DictView dict_;
  std::size_t index_ = 0;
};

inline DictView::Iterator DictView::begin() const noexcept { return {*this, 0}; }
inline DictView::Iterator DictView::end() const noexcept { return {*this, size()}; }

/// Reads a set or frozenset; any other value reads as an empty one. The order of its elements has no meaning.
///
/// Thread safety and progress: those of ValueView.
class XICHAN_API SetView {
 public:
  explicit SetView(ValueView set) noexcept : view(set) {}

  ValueView view;

  std::size_t size() const noexcept;
  bool empty() const noexcept { return size() == 0; }
  ValueView::Iterator begin() const noexcept { return {view, 0}; }
  ValueView::Iterator end() const noexcept { return {view, static_cast<std::ptrdiff_t>(size())}; }

  /// Returns true if the set has an element that equals `key`; see DictView::find.
  bool contains(ValueView key) const;
  bool contains(std::string_view key) const;
};

/// Reads a record: an object of a class. Any other value reads as a record without a name and fields.
///
/// Thread safety and progress: those of ValueView.
class XICHAN_API RecordView {
 public:
  explicit RecordView(ValueView record) noexcept : view(record) {}

  ValueView view;

  /// Returns the number of a standard type (docs/reference/block-format.md), or 0.
  std::int64_t standard_type() const noexcept;
  /// Returns the module and the qualified name of the class; they are text. None for a standard type.
  ValueView module() const noexcept { return type(0); }
  ValueView name() const noexcept { return type(1); }
  /// Returns how the object is made: "fields" for a dataclass, or another form of docs/reference/block-format.md. None
  /// for a standard type.
  ValueView form() const noexcept { return type(2); }

  std::size_t size() const noexcept { return view.kind() == ValueKind::record ? view.size() : 0; }
  /// Returns field `i`; None if `i` is out of range.
  ValueView operator[](std::size_t i) const noexcept { return i < size() ? view[i] : ValueView(); }
  /// Returns the name of field `i`; None for a standard type, whose fields have only positions.
  ValueView field_name(std::size_t i) const noexcept { return type(3)[i]; }
  /// Returns the field of that name (UTF-8). O(fields). Throws std::bad_alloc.
  std::optional<ValueView> find(std::string_view name) const;

 private:
  ValueView type(std::size_t i) const noexcept;
};

/// Reads an array: the contiguous items of an array.array, a memoryview, or a NumPy array or scalar.
///
/// Thread safety and progress: those of ValueView.
class XICHAN_API ArrayView {
 public:
  explicit ArrayView(ValueView array) noexcept : view(array) {}

  ValueView view;

  ArrayType type() const noexcept;
  /// Returns the format: text as the `typecode` of an array.array, the `format` of a memoryview or the `str` of a
  /// dtype; a tuple for a structured dtype.
  ValueView format() const noexcept;
  std::size_t dimensions() const noexcept;
  /// Returns the length in dimension `i`; 0 if `i` is out of range.
  std::size_t length(std::size_t i) const noexcept;
  /// Returns the items in C order, or in Fortran order for `ArrayType::fortran`. They begin at a multiple of 8 bytes,
  /// unless they are less than 15 bytes.
  std::span<const std::byte> content() const noexcept;

 private:
  ValueView part(std::size_t i) const noexcept;
};

}  // namespace xichan
