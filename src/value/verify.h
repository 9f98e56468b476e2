// Checks the body of a block from an untrusted source, so that BlockReader may read it afterwards.
//
// Algorithm: two walks over the cells in order. The cells of the tuples must follow one another in breadth-first order,
// and payloads must follow in the order of their cells. So one running offset each decides whether a cell is correct:
// nothing overlaps, nothing is named twice, no tuple contains itself, and no byte is left over. A `repeat` points to an
// earlier cell, which has been checked by then. Progress: time proportional to the size of the body, whatever it
// contains; no recursion, no memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "xichan/export.h"
#include "xichan/status.h"

namespace xichan::internal {

/// A description of invalid input for an error message, and the offset of the first invalid byte.
struct VerifyError {
  const char* what = nullptr;
  std::uint64_t offset = 0;
};

/// Returns `ok` if `body` is, to the last byte, what BlockBuilder makes of a value without references; else `invalid`,
/// and sets `error` to the first problem; `no_memory` without memory for one bit per cell, which repeats require.
/// `body` need not be aligned, but must not change concurrently.
///
/// Thread safety: accesses only the body.
XICHAN_API Status verify(std::span<const std::byte> body, VerifyError& error) noexcept;

}  // namespace xichan::internal
