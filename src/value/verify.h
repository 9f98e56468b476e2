// Checks the body of a block that comes from elsewhere: after that BlockReader may be trusted with it.
//
// Algorithm: two walks over the cells, in the order in which they lie. Because the cells of the tuples must follow one
// another in the order in which the tuples are met breadth first, and payloads in the order of the cells that name
// them, one running offset each decides whether a cell names what it must; so nothing overlaps, nothing is named
// twice, no tuple contains itself, and nothing is left over. A `repeat` names the cell that it repeats, which has been
// checked by then. Progress: time proportional to the size of the body, whatever it says; no recursion, no memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "xichan/export.h"
#include "xichan/status.h"

namespace xichan::internal {

/// What is wrong with some input, for a message, and at which of its bytes.
struct VerifyError {
  const char* what = nullptr;
  std::uint64_t offset = 0;
};

/// Whether `body` is what BlockBuilder makes of a value without references, to the last byte: `ok`, or `invalid` and
/// what was found first. `body` need not be aligned, but must not change meanwhile.
///
/// Thread safety: touches nothing but the body.
XICHAN_API Status verify(std::span<const std::byte> body, VerifyError& flaw) noexcept;

}  // namespace xichan::internal
