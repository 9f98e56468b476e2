// Checks what containers require of their elements: the second half of verify().
//
// Rules
//   V1  each container has the number and kinds of elements that its tag requires; an `index` is the last cell of a
//       large dict or set.
//   V2  keys of dicts and elements of sets have a hash: no list, dict, set, bytearray or array, also not in a tuple.
//   V3  no cycle runs through tuples, slices and frozen containers only. Hashing such a value would not end, and no
//       Python code makes one. A cycle through a list, dict, set or record is a value like any other.
//   V4  the format of an array is known, and its items fill its content exactly.
//   V5  a record of a standard type has the number and kinds of fields of that type. What its constructor copies
//       or converts belongs to the record: with a repeat n records would make n copies of it.
//
// Progress: each cell is visited once, and once more each for V2 and V3, with explicit stacks.
#pragma once

#include "base/content_map.h"
#include "value/body_cells.h"
#include "value/verify_result.h"
#include "xichan/status.h"

namespace xichan::internal {

/// Checks the containers among the cells from 0 to `cells_end`, each of which is valid by itself. Returns `invalid` and
/// sets `error`, or `no_memory`.
Status verify_containers(const BodyCells& cells, std::uint64_t cells_end, VerifyError& error,
                         BodySizes& sizes) noexcept;

/// The number of cells of each structured format that arrays name, by its address.
using KnownStructures = ContentMap<std::uint64_t>;

/// Returns true if an array with this format, shape and content is valid (V4). All three are valid cells, resolved; the
/// shape is a tuple. Sets `format_bytes` to a bound of the objects that the format takes.
bool verify_array(const BodyCells& cells, ArrayKind kind, std::uint64_t format, const Cell& shape,
                  std::uint64_t content_bytes, KnownStructures& known, std::uint64_t& format_bytes) noexcept;

/// Returns true if `fields` cells from `first` are the fields of the standard type (V5).
bool verify_standard(const BodyCells& cells, std::int64_t type, std::uint64_t first, std::uint64_t fields) noexcept;

/// Returns the number of fields of a standard type, or UINT64_MAX if its number is unknown.
std::uint64_t standard_fields(std::int64_t type) noexcept;
/// Returns true if the value of a cell may be field `i` of the standard type.
bool is_standard_field(std::int64_t type, std::uint64_t i, const Cell& cell) noexcept;

}  // namespace xichan::internal
