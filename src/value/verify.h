// Checks the body of a block from an untrusted source, so that BlockReader may read it afterwards.
//
// Algorithm: walks over the cells in order. The cells of the containers must follow one another in breadth-first order,
// and payloads must follow in the order of their cells. So one running offset each decides whether a cell is correct:
// nothing overlaps, nothing is named twice, and no byte is left over. A `repeat` points to an earlier cell, which has
// been checked by then. Only now that every cell is known to be valid, a further walk checks what containers require of
// their elements (verify_containers.cpp). Progress: time proportional to the size of the body, whatever it contains; no
// recursion.
#pragma once

#include <cstddef>
#include <span>

#include "value/verify_result.h"
#include "xichan/export.h"
#include "xichan/status.h"

namespace xichan::internal {

/// Returns `ok` and sets `sizes` if `body` is, to the last byte, what BlockBuilder makes of a value without references
/// and without tables of indexes; else `invalid`, and sets `error` to the first problem; `no_memory` without memory for
/// the bits of its cells, which repeats and keys require, and for a stack of the tuples in a key or on a possible
/// cycle. Does not compare keys: index_body() finds equal ones. `body` need not be aligned, but must not change
/// concurrently.
///
/// Thread safety: accesses only the body.
XICHAN_API Status verify(std::span<const std::byte> body, VerifyError& error, BodySizes& sizes) noexcept;

}  // namespace xichan::internal
