// Values as keys of a map: a hash of their content, and equality by content.
//
// Numbers, text, bytes and tuples compare as in Python: 1, 1.0 and True are one key. Everything else is equal if it has
// the same type and equal parts: Decimal("1") and Decimal("1.0") are two keys. A NaN equals itself.
//
// Thread safety: that of BlockReader.
#pragma once

#include "value/block_reader.h"
#include "xichan/export.h"

namespace xichan::internal {

/// Tuples and other containers in a key may be nested this deep.
inline constexpr unsigned deepest_key = 32;

/// Stores the hash of a value. Returns false for a value that is mutable in Python, an endpoint or another object that
/// has no content, and one that is nested more than `deepest_key` deep. O(size of the value).
XICHAN_API bool hash_content(BlockReader reader, const Cell& cell, std::uint64_t& hash) noexcept;

/// Returns true if two values that `hash_content` accepts are equal; false also if memory is exhausted.
XICHAN_API bool equal_content(BlockReader one, const Cell& cell, BlockReader other, const Cell& with) noexcept;

}  // namespace xichan::internal
