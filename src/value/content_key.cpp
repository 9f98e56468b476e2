#include "value/content_key.h"

#include <algorithm>

#include "value/index.h"
#include "value/key_hash.h"

namespace xichan::internal {
namespace {

// True for the types whose objects have a hash in Python.
bool is_immutable(Tag tag) noexcept {
  switch (tag) {
    case Tag::tuple:
    case Tag::frozendict:
    case Tag::frozenset:
    case Tag::range:
    case Tag::slice:
    case Tag::complex:
    case Tag::record: return true;
    default: return false;
  }
}

// Returns the number of cells of a container that are parts of it, without the index.
std::uint64_t count_parts(const Cell& cell) noexcept {
  return cell.is_hashed() ? cell.entries() * cell.entry_cells() : cell.length();
}

// Hashes a value, and counts its parts.
class ContentHash {
 public:
  Status add(BlockReader reader, const Cell& cell, unsigned depth, std::uint64_t& out) noexcept {
    const CellRef ref = resolve_through(reader, cell);
    const Cell& value = *ref.cell;
    if (left_ == 0) return Status::too_large;
    --left_;
    if (is_content_leaf(value.tag())) return add_leaf(ref, out);
    if (!is_immutable(value.tag()) || depth == 0) return Status::invalid;
    if (count_parts(value) > left_) return Status::too_large;
    KeyHash hash;
    hash.add(static_cast<std::uint64_t>(value.tag()) | value.length() << 8);
    const Status status = value.is_hashed() ? add_entries(ref, depth, hash) : add_elements(ref, depth, hash);
    out = hash.finish();
    return status;
  }

 private:
  // A payload that occurs in many places is hashed in each: `hash_key` refuses long ones, here they count.
  Status add_leaf(const CellRef& ref, std::uint64_t& out) noexcept {
    Cell leaf = *ref.cell;
    if (leaf.has_payload() && leaf.is_repeated()) {
      const std::uint64_t parts = leaf.length() / largest_repeated_key;
      if (parts > left_) return Status::too_large;
      left_ -= static_cast<unsigned>(parts);
      leaf.head &= ~Cell::repeated_mark;
    }
    return hash_key(ref.reader, leaf, out) ? Status::ok : Status::invalid;
  }

  Status add_elements(const CellRef& ref, unsigned depth, KeyHash& hash) noexcept {
    for (const Cell& cell : ref.reader.elements(*ref.cell)) {
      std::uint64_t element;
      const Status status = add(ref.reader, cell, depth - 1, element);
      if (status != Status::ok) return status;
      hash.add(element);
    }
    return Status::ok;
  }

  // In any order: the sum of the hashes of all entries, of the key and the value each.
  Status add_entries(const CellRef& ref, unsigned depth, KeyHash& hash) noexcept {
    const auto cells = ref.reader.elements(*ref.cell);
    const unsigned step = ref.cell->entry_cells();
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < count_parts(*ref.cell); i += step) {
      KeyHash entry;
      for (unsigned j = 0; j < step; ++j) {
        std::uint64_t part;
        const Status status = add(ref.reader, cells[i + j], depth - 1, part);
        if (status != Status::ok) return status;
        entry.add(part);
      }
      sum += entry.finish();
    }
    hash.add(sum);
    return Status::ok;
  }

  unsigned left_ = most_key_parts;
};

}  // namespace

bool equal_leaf_content(const CellRef& one, const CellRef& other) noexcept {
  if (equal_keys(one.reader, *one.cell, other.reader, *other.cell)) return true;
  return one.cell->tag() == Tag::real && other.cell->tag() == Tag::real && one.cell->word == other.cell->word;  // a NaN
}

namespace {

// Compares two values that `hash_content` accepts.
class ContentComparison {
 public:
  bool equal(const CellRef& left, const CellRef& right) noexcept {
    const Cell &one = *left.cell, &other = *right.cell;
    if (is_content_leaf(one.tag()) || is_content_leaf(other.tag())) return equal_leaf_content(left, right);
    if (one.tag() != other.tag() || one.length() != other.length()) return false;
    if (one.length() == 0 || left.reader.payload(one) == right.reader.payload(other)) return true;
    if (one.is_hashed()) return equal_entries(left, right);
    return equal_cells(left.reader, left.reader.elements(one).data(), right.reader, right.reader.elements(other).data(),
                       one.length());
  }

 private:
  struct Entry {
    std::uint64_t hash;  // of the key
    const Cell* cells;   // the key, and for a dict the value
  };

  bool equal_cells(BlockReader left, const Cell* one, BlockReader right, const Cell* other,
                   std::uint64_t count) noexcept {
    for (std::uint64_t i = 0; i < count; ++i) {  // no deeper than `deepest_key`
      if (!equal(resolve_through(left, one[i]), resolve_through(right, other[i]))) return false;
    }
    return true;
  }

  // Brings the entries of both into the order of their hashes. Different keys with one hash are improbable.
  bool equal_entries(const CellRef& left, const CellRef& right) noexcept {
    const std::uint64_t count = left.cell->entries();
    const unsigned step = left.cell->entry_cells();
    Entry* const one = sorted(left, count);
    Entry* const other = sorted(right, count);
    bool same = one != nullptr && other != nullptr;
    for (std::uint64_t i = 0; i < count && same; ++i) {
      same = false;
      for (std::uint64_t j = i; j < count && other[j].hash == one[i].hash && !same; ++j) {
        same = equal_cells(left.reader, one[i].cells, right.reader, other[j].cells, step);
        if (same) std::swap(other[i], other[j]);
      }
    }
    used_ -= 2 * count;
    return same;
  }

  // Containers that are nested in each other have no more parts than the key, so there is room.
  Entry* sorted(const CellRef& ref, std::uint64_t count) noexcept {
    Entry* const entries = &entries_[used_];
    used_ += count;
    const auto cells = ref.reader.elements(*ref.cell);
    for (std::uint64_t i = 0; i < count; ++i) {
      const Cell* const key = &cells[i * ref.cell->entry_cells()];
      if (hash_content(ref.reader, *key, entries[i].hash) != Status::ok) return nullptr;  // never, of a key
      entries[i].cells = key;
    }
    std::sort(entries, entries + count, [](const Entry& a, const Entry& b) noexcept { return a.hash < b.hash; });
    return entries;
  }

  std::uint64_t used_ = 0;
  Entry entries_[2 * most_key_parts];  // not initialized
};

}  // namespace

Status hash_content(BlockReader reader, const Cell& cell, std::uint64_t& hash) noexcept {
  if (is_short_key(cell.tag())) [[likely]] {
    KeyHash short_hash;
    add_short_key(short_hash, cell);
    hash = short_hash.finish();
    return Status::ok;
  }
  if (cell.has_payload() && !cell.is_repeated()) return hash_key(reader, cell, hash) ? Status::ok : Status::invalid;
  return ContentHash().add(reader, cell, deepest_key, hash);
}

bool equal_content(BlockReader one, const Cell& cell, BlockReader other, const Cell& with) noexcept {
  const CellRef left = resolve_through(one, cell), right = resolve_through(other, with);
  if (is_content_leaf(left.cell->tag()) || is_content_leaf(right.cell->tag())) return equal_leaf_content(left, right);
  ContentComparison comparison;
  return comparison.equal(left, right);
}

}  // namespace xichan::internal
