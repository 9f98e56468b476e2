// A value as bytes that may leave the process: a header, and the body of a block without references.
//
//   byte   0 .. 3                   4 .. 5    6 .. 7   8 .. 15
//          89 58 43 48 ("\x89XCH")  version   0        bytes of the body, which follows
//
// Thread safety: as flatten() and verify().
#pragma once

#include <cstddef>
#include <span>

#include "value/cell.h"
#include "value/flatten.h"
#include "value/verify.h"

namespace xichan::internal {

inline constexpr std::uint16_t dump_version = 1;

struct DumpHeader {
  std::uint32_t magic;
  std::uint16_t version;
  std::uint16_t flags;
  std::uint64_t body_bytes;
};
static_assert(sizeof(DumpHeader) == 16);

XICHAN_API DumpHeader dump_header(std::uint64_t body_bytes) noexcept;

/// The body to write after the header, of a cell that flatten() made: in its block, or the cell itself.
XICHAN_API std::span<const std::byte> dump_body(const Cell& flat) noexcept;

/// Makes `cell`, which owns what it names, from a header and a body. The body is copied before it is checked, so
/// `data` may change meanwhile; no more memory is taken than `data` is long. `invalid`, and why in `flaw`, for anything
/// but the dump of a value; `no_memory` or `arena_full`.
XICHAN_API Status load(std::span<const std::byte> data, Cell& cell, VerifyError& flaw) noexcept;

}  // namespace xichan::internal
