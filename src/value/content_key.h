// Values as keys of a map: a hash of their content, and equality by content.
//
// Numbers, and the numbers inside containers and records, compare as in Python: 1, 1.0 and True are one key. Everything
// else is equal if it has the same type and equal parts: Decimal("1") and Decimal("1.0") are two keys. A NaN equals
// itself: floats that have the same bits are equal.
//
// A key has at most `most_key_parts` parts, so that every operation on keys takes a bounded number of steps; they run
// under the lock of a shard. A part that occurs several times is visited, and counts, each time.
//
// Thread safety: that of BlockReader.
#pragma once

#include "value/block_reader.h"
#include "xichan/export.h"
#include "xichan/status.h"

namespace xichan::internal {

/// Tuples and other containers in a key may be nested this deep.
inline constexpr unsigned deepest_key = 32;
/// The most parts of a key: itself, and the values inside it. A long text or bytes that the key contains repeatedly
/// counts as one part per `largest_repeated_key` bytes.
inline constexpr unsigned most_key_parts = 1000;

/// Stores the hash of a value. Returns `invalid` for a value that is mutable in Python, an endpoint or another object
/// that has no content, and one that is nested more than `deepest_key` deep; `too_large` for one with more than
/// `most_key_parts` parts. O(size of the value), and no more parts than that.
XICHAN_API Status hash_content(BlockReader reader, const Cell& cell, std::uint64_t& hash) noexcept;

/// Returns true if two keys that `hash_content` accepts are equal. Allocates nothing.
XICHAN_API bool equal_content(BlockReader one, const Cell& cell, BlockReader other, const Cell& with) noexcept;

/// Returns true for the tags of values that have no parts.
constexpr bool is_content_leaf(Tag tag) noexcept { return tag < Tag::tuple || tag == Tag::ellipsis; }
/// Compares two values of which one has such a tag, likewise.
bool equal_leaf_content(const CellRef& one, const CellRef& other) noexcept;

/// Compares two values of any kind by their content, as keys are. `ok | no_memory`. No lock may be held: takes time
/// proportional to the size of the values, and to the square of the numbers of keys that are containers or records.
XICHAN_API Status equal_values(BlockReader one, const Cell& cell, BlockReader other, const Cell& with,
                               bool& equal) noexcept;

}  // namespace xichan::internal
