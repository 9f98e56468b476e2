#include "value/index.h"

#include <cmath>
#include <cstring>

#include "base/checked.h"
#include "value/key_hash.h"
#include "value/text.h"
#include "value/value_access.h"

namespace xichan::internal {
namespace {

KeyClass class_of(const Cell& cell) noexcept {
  switch (cell.tag()) {
    case Tag::none: return KeyClass::none;
    case Tag::ellipsis: return KeyClass::ellipsis;
    case Tag::false_:
    case Tag::true_:
    case Tag::integer: return KeyClass::integer;
    case Tag::real: return KeyClass::real;
    case Tag::big_int: return KeyClass::big;
    case Tag::short_bytes:
    case Tag::bytes: return KeyClass::bytes;
    case Tag::tuple: return KeyClass::tuple;
    default: return is_short_text(cell.tag()) || is_long_text(cell.tag()) ? KeyClass::text : KeyClass::other;
  }
}

// Returns the exact value of an int as a float, or NaN if it has none.
double exact_real(const void* limbs, std::uint64_t bytes) noexcept {
  const auto limb = [&](std::uint64_t i) noexcept {
    std::uint64_t value;
    std::memcpy(&value, static_cast<const std::byte*>(limbs) + i * sizeof value, sizeof value);
    return value;
  };
  const std::uint64_t count = bytes / sizeof(std::uint64_t);
  std::uint64_t low =
      0;  // of the limbs that are not zero, the lowest; the highest of a big int repeats its sign at most
  while (limb(low) == 0) ++low;
  if (count - low > 2 || low > 16) return NAN;
  // The odd factor and the exponent of a multiple of a power of two.
  const int zeros = std::countr_zero(limb(low));
  const auto high = static_cast<std::int64_t>(count - low == 2 ? limb(low + 1) : 0);
  std::int64_t odd;
  if (count - low == 1) {
    odd = static_cast<std::int64_t>(limb(low)) >> zeros;
  } else {
    const std::uint64_t above = zeros == 0 ? 0 : static_cast<std::uint64_t>(high) << (64 - zeros);
    odd = static_cast<std::int64_t>(above | limb(low) >> zeros);
    if (high >> zeros != odd >> 63) return NAN;
  }
  constexpr std::int64_t largest = std::int64_t{1} << 53;
  if (odd < -largest || odd > largest) return NAN;
  const double value = std::ldexp(static_cast<double>(odd), static_cast<int>(low) * 64 + zeros);
  return std::isfinite(value) ? value : NAN;
}

// A number in the one form that it shares with all equal numbers: an int of 64 bits, else a float, else a larger int.
struct Number {
  KeyClass kind;
  std::int64_t integer = 0;
  double real = 0;
  const void* limbs = nullptr;
  std::uint64_t bytes = 0;

  static Number of(const CellRef& ref) noexcept {
    const Cell& cell = *ref.cell;
    if (cell.tag() == Tag::big_int) {
      const void* const limbs = ref.reader.payload(cell);
      const double value = exact_real(limbs, cell.length());
      if (!std::isnan(value)) return {KeyClass::real, 0, value};
      return {KeyClass::big, 0, 0, limbs, cell.length()};
    }
    if (cell.tag() != Tag::real)
      return {KeyClass::integer, cell.tag() == Tag::integer ? cell.as_integer() : cell.tag() == Tag::true_};
    const double value = cell.as_real();
    constexpr double end = 9223372036854775808.0;  // 2^63
    if (value >= -end && value < end && value == std::trunc(value))
      return {KeyClass::integer, static_cast<std::int64_t>(value)};
    return {KeyClass::real, 0, value};
  }

  bool operator==(const Number& other) const noexcept {
    if (kind != other.kind || integer != other.integer || bytes != other.bytes) return false;
    return kind == KeyClass::big ? std::memcmp(limbs, other.limbs, bytes) == 0 : real == other.real;
  }
};

// Adds a leaf to a hash. Returns false if it does not compare by its content. A long payload that may occur as many
// keys is not hashed: n keys would take more time than their size. Sets `never` for a NaN.
bool hash_leaf(KeyHash& hash, const CellRef& ref, bool again, bool& never) noexcept {
  const Cell& cell = *ref.cell;
  if (is_short_key(cell.tag())) {
    add_short_key(hash, cell);
    return true;
  }
  const auto add = [&](KeyClass kind, const void* data, std::uint64_t length, unsigned width) noexcept {
    if (again && length > largest_repeated_key / width) return false;
    hash.add(static_cast<std::uint64_t>(kind) | length << 8);
    hash.add_bytes(data, length * width);
    return true;
  };
  const KeyClass kind = class_of(cell);
  switch (kind) {
    case KeyClass::none:
    case KeyClass::ellipsis: hash.add(static_cast<std::uint64_t>(kind)); return true;
    case KeyClass::integer:
    case KeyClass::real:
    case KeyClass::big: {
      if (again && kind == KeyClass::big && cell.length() > largest_repeated_key) return false;
      const Number number = Number::of(ref);
      if (number.kind == KeyClass::big) return add(number.kind, number.limbs, number.bytes, 1);
      never |= std::isnan(number.real);
      const std::uint64_t bits = number.kind == KeyClass::integer ? static_cast<std::uint64_t>(number.integer)
                                                                  : std::bit_cast<std::uint64_t>(number.real);
      return add(number.kind, &bits, sizeof bits, 1);
    }
    case KeyClass::bytes: {
      if (cell.tag() == Tag::bytes) return add(kind, ref.reader.payload(cell), cell.length(), 1);
      return add(kind, cell.payload(), cell.short_length(), 1);
    }
    case KeyClass::text: {
      const TextParts text = text_parts(ref.reader, cell);
      const unsigned width = text_width(text.kind);
      if (again && text.length > largest_repeated_key / width) return false;
      // A slice of a text may be wider than its own code points require.
      const TextKind narrow =
          width == 1 ? text.kind : narrowest_kind(highest_code_point(text.kind, text.data, text.length));
      if (text_width(narrow) == width) return add(kind, text.data, text.length, width);
      hash.add(static_cast<std::uint64_t>(kind) | text.length << 8);
      const unsigned narrow_width = text_width(narrow);
      const std::uint64_t whole = sizeof(std::uint64_t) / narrow_width;
      for (std::uint64_t i = 0; i < text.length; i += whole) {
        std::uint64_t word = 0;
        for (std::uint64_t j = i; j < i + whole && j < text.length; ++j) {
          word |= std::uint64_t{load_code_point(text.kind, text.data, j)} << (j - i) * narrow_width * 8;
        }
        hash.add(word);
      }
      return true;
    }
    case KeyClass::tuple:
    case KeyClass::other: break;
  }
  return false;
}

enum class Hashed : std::uint8_t { yes, never_equal, no };

Hashed hash_of(BlockReader reader, const Cell& key, std::uint64_t& out) noexcept {
  KeyHash hash;
  bool never = false;
  const CellRef ref = resolve(reader, key);
  const bool again = may_recur(reader, ref);
  if (ref.cell->tag() == Tag::tuple) {
    if (ref.cell->length() > largest_tuple_key) return Hashed::no;
    hash.add(static_cast<std::uint64_t>(KeyClass::tuple) | ref.cell->length() << 8);
    for (const Cell& element : ref.reader.elements(*ref.cell)) {
      const CellRef inner = resolve(ref.reader, element);
      if (!hash_leaf(hash, inner, again || may_recur(ref.reader, inner), never)) return Hashed::no;
    }
  } else if (!hash_leaf(hash, ref, again, never)) {
    return Hashed::no;
  }
  out = hash.finish();
  return never ? Hashed::never_equal : Hashed::yes;
}

bool equal_leaves(const CellRef& one, const CellRef& other) noexcept {
  const KeyClass kind = class_of(*one.cell), with = class_of(*other.cell);
  const auto is_number = [](KeyClass k) noexcept { return k >= KeyClass::integer && k <= KeyClass::real; };
  if (is_number(kind) && is_number(with)) return Number::of(one) == Number::of(other);
  if (kind != with || kind >= KeyClass::tuple) return false;
  if (kind <= KeyClass::ellipsis) return true;
  if (kind == KeyClass::text) {
    return equal_text(text_parts(one.reader, *one.cell), text_parts(other.reader, *other.cell));
  }
  const auto a = ValueAccess::view(one).as_bytes(), b = ValueAccess::view(other).as_bytes();
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

// Returns true if a key compares by its content, without reading its payload.
bool is_comparable(BlockReader reader, const Cell& key) noexcept {
  const CellRef ref = resolve(reader, key);
  const KeyClass kind = class_of(*ref.cell);
  if (kind != KeyClass::tuple) return kind != KeyClass::other;
  if (ref.cell->length() > largest_tuple_key) return false;
  for (const Cell& element : ref.reader.elements(*ref.cell)) {
    if (class_of(*resolve(ref.reader, element).cell) >= KeyClass::tuple) return false;
  }
  return true;
}

// Returns the number of the slot with an entry that equals `key`, or of the free slot where it belongs.
std::uint64_t slot_of(BlockReader reader, const Cell& cell, const std::uint32_t* table, std::uint64_t slots,
                      std::uint64_t hash, BlockReader other, const Cell& key) noexcept {
  const auto cells = reader.elements(cell);
  std::uint64_t i = hash & (slots - 1);
  while (table[i] != 0 && !equal_keys(reader, cells[(table[i] - 1) * cell.entry_cells()], other, key)) {
    i = (i + 1) & (slots - 1);
  }
  return i;
}

}  // namespace

bool hash_key(BlockReader reader, const Cell& key, std::uint64_t& hash) noexcept {
  return hash_of(reader, key, hash) != Hashed::no;
}

bool equal_keys(BlockReader one, const Cell& key, BlockReader other, const Cell& with) noexcept {
  const CellRef left = resolve(one, key), right = resolve(other, with);
  if (left.cell->tag() != Tag::tuple || right.cell->tag() != Tag::tuple) return equal_leaves(left, right);
  if (left.cell->length() != right.cell->length()) return false;
  const auto a = left.reader.elements(*left.cell), b = right.reader.elements(*right.cell);
  for (std::uint64_t i = 0; i < a.size(); ++i) {
    if (!equal_leaves(resolve(left.reader, a[i]), resolve(right.reader, b[i]))) return false;
  }
  return true;
}

bool fill_index(BlockReader reader, const Cell& cell, std::byte* table, bool* repeated) noexcept {
  const std::uint64_t entries = cell.entries(), slots = index_slots(entries);
  auto* const words = reinterpret_cast<std::uint32_t*>(table);
  bool filled = entries < UINT32_MAX;
  const Cell* key = reader.elements(cell).data();
  for (std::uint64_t i = 0; filled && i < entries; ++i, key += cell.entry_cells()) {
    std::uint64_t hash;
    const Hashed hashed = hash_of(reader, *key, hash);
    filled = hashed != Hashed::no;
    if (hashed != Hashed::yes) continue;  // a key that equals nothing is never found
    const std::uint64_t slot = slot_of(reader, cell, words, slots, hash, reader, *key);
    if (words[slot] == 0) {
      words[slot] = static_cast<std::uint32_t>(i + 1);
    } else if (repeated != nullptr) {
      *repeated = true;
    }
  }
  if (!filled) std::memset(table, 0, index_bytes(entries));
  return filled;
}

Lookup find_entry(BlockReader reader, const Cell& cell, BlockReader other, const Cell& key,
                  std::uint64_t& entry) noexcept {
  std::uint64_t hash;
  const Hashed hashed = hash_of(other, key, hash);
  if (hashed != Hashed::yes) return hashed == Hashed::no ? Lookup::unknown : Lookup::missing;
  const auto cells = reader.elements(cell);
  if (cell.is_indexed()) {
    const Cell& index = cells.back();
    if (index.length() == 0) return Lookup::unknown;
    const auto* const table = static_cast<const std::uint32_t*>(reader.payload(index));
    const std::uint32_t found = table[slot_of(reader, cell, table, index.length(), hash, other, key)];
    if (found == 0) return Lookup::missing;
    entry = found - 1;
    return Lookup::found;
  }
  Lookup result = Lookup::missing;
  for (std::uint64_t i = 0; i < cell.entries(); ++i) {
    const Cell& candidate = cells[i * cell.entry_cells()];
    if (equal_keys(reader, candidate, other, key)) {
      entry = i;
      return Lookup::found;
    }
    if (result == Lookup::missing && !is_comparable(reader, candidate)) result = Lookup::unknown;
  }
  return result;
}

bool has_equal_keys(BlockReader reader, const Cell& cell) noexcept {
  const auto cells = reader.elements(cell);
  if (cell.is_indexed()) {
    for (std::uint64_t i = 0; i < cell.entries(); ++i) {
      std::uint64_t found;
      const Lookup lookup = find_entry(reader, cell, reader, cells[i * cell.entry_cells()], found);
      if (lookup == Lookup::unknown) return false;
      if (lookup == Lookup::found && found != i) return true;
    }
    return false;
  }
  std::uint64_t hashes[largest_unindexed];
  const Cell* keys[largest_unindexed];
  std::uint64_t count = 0;
  for (std::uint64_t i = 0; i < cell.entries(); ++i) {
    const Cell& key = cells[i * cell.entry_cells()];
    if (!hash_key(reader, key, hashes[count])) continue;
    // Equal hashes of different keys are improbable, so that no long keys are compared more than once.
    for (std::uint64_t j = 0; j < count; ++j) {
      if (hashes[j] == hashes[count] && equal_keys(reader, *keys[j], reader, key)) return true;
    }
    keys[count++] = &key;
  }
  return false;
}

}  // namespace xichan::internal
