#include "value/content_key.h"

#include "value/index.h"
#include "value/value_access.h"

namespace xichan::internal {
namespace {

std::uint64_t mix(std::uint64_t hash, std::uint64_t word) noexcept {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
  return hash ^ hash >> 32;
}

bool is_leaf(Tag tag) noexcept { return tag < Tag::tuple || tag == Tag::ellipsis; }

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

bool hash_nested(BlockReader reader, const Cell& cell, unsigned depth, std::uint64_t& hash) noexcept {
  const CellRef ref = resolve_through(reader, cell);
  const Cell& value = *ref.cell;
  if (is_leaf(value.tag())) return hash_key(ref.reader, value, hash);
  if (!is_immutable(value.tag()) || depth == 0) return false;
  hash = mix(static_cast<std::uint64_t>(value.tag()), value.length());
  std::uint64_t sum = 0;
  const auto elements = ref.reader.elements(value);
  const std::uint64_t count = value.is_hashed() ? value.entries() * value.entry_cells() : elements.size();
  for (std::uint64_t i = 0; i < count; ++i) {
    std::uint64_t element;
    if (!hash_nested(ref.reader, elements[i], depth - 1, element)) return false;
    if (value.is_hashed()) {
      sum += mix(element, i % value.entry_cells());  // in any order
    } else {
      hash = mix(hash, element);
    }
  }
  hash = mix(hash, sum);
  return true;
}

bool equal_nested(const CellRef& left, const CellRef& right) noexcept {
  const Cell &one = *left.cell, &other = *right.cell;
  if (is_leaf(one.tag()) || is_leaf(other.tag())) {
    if (equal_keys(left.reader, one, right.reader, other)) return true;
    return one.tag() == Tag::real && other.tag() == Tag::real && one.word == other.word;  // a NaN
  }
  if (one.tag() != Tag::tuple || other.tag() != Tag::tuple) {
    bool equal = false;
    const Status status = ValueView::equal(ValueAccess::view(left), ValueAccess::view(right), equal);
    return status == Status::ok && equal;
  }
  const auto a = left.reader.elements(one), b = right.reader.elements(other);
  if (a.size() != b.size()) return false;
  for (std::uint64_t i = 0; i < a.size(); ++i) {  // no deeper than `deepest_key`
    if (!equal_nested(resolve_through(left.reader, a[i]), resolve_through(right.reader, b[i]))) return false;
  }
  return true;
}

}  // namespace

bool hash_content(BlockReader reader, const Cell& cell, std::uint64_t& hash) noexcept {
  return hash_nested(reader, cell, deepest_key, hash);
}

bool equal_content(BlockReader one, const Cell& cell, BlockReader other, const Cell& with) noexcept {
  return equal_nested(resolve_through(one, cell), resolve_through(other, with));
}

}  // namespace xichan::internal
