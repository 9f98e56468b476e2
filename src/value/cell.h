// A cell: 16 bytes that describe one value. Ring slots, tuple elements and roots of blocks are all cells.
//
//   byte   0     1              2 .. 7                      8 .. 15
//   short  tag   length         14 bytes of payload, the text or bytes themselves
//   other  tag   0, or a mark   length (48 bits)            word
//
// The mark is 1 in a cell with a payload or elements that a `repeat` points to; a reader makes one object of it. To the
// mark of a record that was loaded from bytes, loading adds 2: no reader looks up its class, also when it is sent on.
// The meaning of `word` depends on the tag: the integer, the float's bits, the offset of the payload in the block's
// body, the index in the block's reference table, or (only in a cell outside a body) the block's address. The payload
// of a lent object (arena/lender.h) is outside the body; its offset is the difference of the addresses, modulo 2**64.
//
// Invariants
//   C1  a cell outside a body is self-contained, or of tag `block` or `shared_block`, or comes with a line (line.h); a
//       cell inside a body never has these two tags.
//   C2  lengths count code points for str, bytes for bytes and int, cells for everything with elements.
//   C3  a value has one representation: a value that fits a short cell is short, an int of 64 bits is `integer`, text
//       is in its narrowest form, and a larger int has the fewest bytes, a multiple of 8, that hold it and its sign.
//   C4  a `repeat` points to an earlier cell of the body that has the mark, and a payload or elements.
//   C5  a dict has the cells key, value, key, value, ...; a dict or set of more than `largest_unindexed` entries has
//       one more cell at its end, of tag `index`.
//   C6  the word of an empty container is the offset of its cell in the body, so that it has an identity; an empty
//       tuple has none, and word 0.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace xichan::internal {

class Block;

enum class Tag : std::uint8_t {
  empty = 0,  // no value, so that zeroed memory is invalid
  none,
  false_,
  true_,
  integer,  // word: int64
  real,     // word: the bits of a double
  short_ascii,
  short_latin1,
  short_ucs2,
  short_ucs4,
  short_bytes,
  ascii,  // word: offset of `length` code points, 1 byte each, and a NUL
  latin1,
  ucs2,
  ucs4,
  bytes,    // word: offset of `length` bytes
  big_int,  // word: offset of `length` bytes, two's complement, little endian, a multiple of 8
  tuple,    // word: offset of `length` cells (C6); likewise for all tags up to `queue` but the next
  ellipsis,
  list,
  dict,
  frozendict,
  set,
  frozenset,
  range,         // start, stop, step
  slice,         // start, stop, step
  complex,       // real, imaginary: two cells of tag `real`
  bytearray,     // its content: a cell of tag `bytes` or `short_bytes`
  array,         // kind (ArrayKind), format, shape, content: of an array.array, a memoryview or a NumPy array or scalar
  record,        // the type (an int for a standard type, else a tuple: records.h), then the fields
  queue,         // the parts of a Queue
  index,         // at the end of a large dict or set. length: slots, 0 without a table; word: offset of its slots
  shared,        // word: index in the reference table of a block; the value is a Shared of that block's root
  reference,     // word: index in the reference table; this and all later tags refer to another cell
  window,        // length: index in the reference table; word: offset in this body of a cell valid in that block
  repeat,        // word: offset in this body of an earlier cell with the same value
  block,         // word: address of a Block whose root is the value; owns one reference
  shared_block,  // like block; the value is a Shared of that block's root
};
inline constexpr std::uint8_t tag_count = 38;

/// Dicts and sets of more entries than this have an index; up to here comparing all keys is as fast.
inline constexpr std::uint64_t largest_unindexed = 32;

/// What a cell of tag `array` was sent as.
enum class ArrayKind : std::uint8_t { array, memoryview, ndarray, fortran, scalar };

/// The four widths of text (PEP 393), in the order of the tags.
enum class TextKind : std::uint8_t { ascii, latin1, ucs2, ucs4 };

constexpr unsigned text_width(TextKind kind) noexcept {
  return kind == TextKind::ucs4 ? 4 : kind == TextKind::ucs2 ? 2 : 1;
}

inline constexpr std::uint64_t max_length = (std::uint64_t{1} << 48) - 1;
inline constexpr unsigned short_payload = 14;

/// Thread safety: a plain value.
struct alignas(8) Cell {
  static constexpr std::uint64_t repeated_mark = 1 << 8;
  static constexpr std::uint64_t untrusted_mark = 1 << 9;

  std::uint64_t head = 0;
  std::uint64_t word = 0;

  static Cell of(Tag tag, std::uint64_t length = 0, std::uint64_t word = 0) noexcept {
    return {static_cast<std::uint64_t>(tag) | length << 16, word};
  }
  static Cell none() noexcept { return of(Tag::none); }
  static Cell boolean(bool value) noexcept { return of(value ? Tag::true_ : Tag::false_); }
  static Cell integer(std::int64_t value) noexcept { return of(Tag::integer, 0, static_cast<std::uint64_t>(value)); }
  static Cell real(double value) noexcept { return of(Tag::real, 0, std::bit_cast<std::uint64_t>(value)); }
  static Cell of_block(Block* block, Tag tag = Tag::block) noexcept {
    return of(tag, 0, reinterpret_cast<std::uintptr_t>(block));
  }

  /// Returns a short cell of `length` units of `width` bytes, which must fit.
  static Cell of_short(Tag tag, const void* data, std::size_t length, unsigned width = 1) noexcept {
    Cell cell{static_cast<std::uint64_t>(tag) | length << 8, 0};
    if (length != 0) std::memcpy(cell.payload(), data, length * width);
    return cell;
  }

  Tag tag() const noexcept { return static_cast<Tag>(head & 0xff); }
  /// True if the cell is self-contained (needs no block).
  bool is_complete() const noexcept {
    return tag() < Tag::ascii || (tag() == Tag::tuple && length() == 0) || tag() == Tag::ellipsis;
  }
  /// True for text, bytes or int stored outside the cell.
  bool has_payload() const noexcept { return tag() >= Tag::ascii && tag() <= Tag::big_int; }
  /// True for tuple, list, dict, record, ...: the value consists of further cells.
  bool has_elements() const noexcept { return tag() >= Tag::tuple && tag() <= Tag::queue && tag() != Tag::ellipsis; }
  /// True for a dict, frozendict, set or frozenset.
  bool is_hashed() const noexcept { return tag() >= Tag::dict && tag() <= Tag::frozenset; }
  /// For a dict: cells from one key to the next; 1 for a set.
  unsigned entry_cells() const noexcept { return tag() <= Tag::frozendict ? 2 : 1; }
  /// For a dict or set: true if its last cell is an index.
  bool is_indexed() const noexcept { return length() > largest_unindexed * entry_cells(); }
  /// For a dict or set: the number of its entries.
  std::uint64_t entries() const noexcept { return (length() - is_indexed()) / entry_cells(); }
  /// For a cell with a payload or elements: true if a `repeat` points to it.
  bool is_repeated() const noexcept { return (head & repeated_mark) != 0; }
  void mark_repeated() noexcept { head |= repeated_mark; }
  /// For a record: true if it was loaded from bytes, which may name any class.
  bool is_untrusted() const noexcept { return (head & untrusted_mark) != 0; }
  void mark_untrusted() noexcept { head |= untrusted_mark; }
  /// For a cell outside a body: true if it owns a reference to a block.
  bool owns_block() const noexcept { return tag() >= Tag::block; }
  std::uint64_t length() const noexcept { return head >> 16; }
  unsigned short_length() const noexcept { return head >> 8 & 0xff; }
  std::int64_t as_integer() const noexcept { return static_cast<std::int64_t>(word); }
  double as_real() const noexcept { return std::bit_cast<double>(word); }
  Block* as_block() const noexcept { return reinterpret_cast<Block*>(static_cast<std::uintptr_t>(word)); }

  char* payload() noexcept { return reinterpret_cast<char*>(this) + 2; }
  const char* payload() const noexcept { return reinterpret_cast<const char*>(this) + 2; }
};
static_assert(sizeof(Cell) == 16 && std::endian::native == std::endian::little);

constexpr Tag short_text_tag(TextKind kind) noexcept {
  return static_cast<Tag>(static_cast<unsigned>(Tag::short_ascii) + static_cast<unsigned>(kind));
}
constexpr Tag text_tag(TextKind kind) noexcept {
  return static_cast<Tag>(static_cast<unsigned>(Tag::ascii) + static_cast<unsigned>(kind));
}
constexpr bool fits_short(std::uint64_t length, unsigned width) noexcept { return length <= short_payload / width; }

}  // namespace xichan::internal
