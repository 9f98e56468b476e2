// The index of a large dict or set: finds an entry by its key without reading the other entries.
//
// A table of 32-bit slots, at most half full, by open addressing with linear probing (Knuth, TAOCP vol. 3, 6.4). A slot
// is 0 or the number of an entry plus one. The hash of a key is computed from its content and a secret of the process,
// so that input from outside cannot choose keys that collide; it is the same in every interpreter. Dumps have no table;
// loading fills it.
//
// Only keys that compare by their content are indexed: None, bool, int, float, str, bytes, Ellipsis, and tuples of up
// to `largest_tuple_key` of these. Numbers that are equal have the same hash: 1, 1.0 and True. A dict or set with any
// other key, or with a long one that occurs several times, has no table (`slots` 0); a reader then compares values, not
// cells.
//
// Thread safety: the table is written by the thread that builds the block, before it is published.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "value/block_reader.h"
#include "xichan/export.h"

namespace xichan::internal {

inline constexpr std::uint64_t largest_tuple_key = 16;
/// Bytes of the longest payload that is hashed in a key that may occur more than once, in the same body or another one.
/// Without this bound n cells would take the time of n payloads.
inline constexpr std::uint64_t largest_repeated_key = 256;

constexpr std::uint64_t index_slots(std::uint64_t entries) noexcept { return std::bit_ceil(2 * entries); }
constexpr std::uint64_t index_bytes(std::uint64_t entries) noexcept {
  return index_slots(entries) * sizeof(std::uint32_t);
}

/// Returns true and sets `hash` if the key at a cell compares by its content. O(size of the key), or O(1) for a key
/// that may occur more than once.
XICHAN_API bool hash_key(BlockReader reader, const Cell& key, std::uint64_t& hash) noexcept;
/// Returns true if two keys that `hash_key` accepts are equal as in Python: same text, same bytes, equal numbers; a NaN
/// equals nothing.
XICHAN_API bool equal_keys(BlockReader one, const Cell& key, BlockReader other, const Cell& with) noexcept;

/// Fills the zeroed table at `table` for the dict or set at `cell`. Returns false, with the table zeroed, if a key does
/// not compare by its content, or if there are 2^32 - 1 entries or more. Sets `repeated` if two keys are equal; the
/// table then finds the first.
XICHAN_API bool fill_index(BlockReader reader, const Cell& cell, std::byte* table, bool* repeated = nullptr) noexcept;

/// What `find_entry` found.
enum class Lookup : std::uint8_t { found, missing, unknown };
/// Finds the entry of a dict or set (`cell`, in the body of `reader`) whose key equals `key`, in the body of `other`.
/// Returns `found` and sets `entry`; `missing`; or `unknown` if the key or one of the dict does not compare by its
/// content. O(1) expected with an index, else O(entries).
XICHAN_API Lookup find_entry(BlockReader reader, const Cell& cell, BlockReader other, const Cell& key,
                             std::uint64_t& entry) noexcept;

/// Returns true if two keys of a dict or set are equal, of those that compare by their content. O(size).
bool has_equal_keys(BlockReader reader, const Cell& cell) noexcept;

}  // namespace xichan::internal
