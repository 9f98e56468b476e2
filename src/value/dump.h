// The serialized form of a value: a header, and the body of a block without references.
//
//   byte   0 .. 3                   4 .. 5    6 .. 7   8 .. 15
//          89 58 43 48 ("\x89XCH")  version   0        size of the body, which follows
//
// Thread safety: that of flatten() and verify().
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

/// Returns the body to write after the header. `flat` is a result of flatten(); the body lies in its block, or is the
/// cell itself.
XICHAN_API std::span<const std::byte> dump_body(const Cell& flat) noexcept;

/// Reads a header and a body into `cell`, which owns its block. Copies the body before checking it, so `data` may
/// change concurrently. Allocates the size of `data`, the bits and stacks of verify(), and for large dicts and sets a
/// second copy with their indexes, at most twice the size of `data`. Returns `invalid` and sets `error` if `data` is not
/// a valid dump; `too_large` if the Python objects of the value may take more than `max_bytes`, and sets `error` to that
/// size in place of an offset;
/// `no_memory` or `arena_full` without memory.
XICHAN_API Status load(std::span<const std::byte> data, Cell& cell, VerifyError& error,
                       std::uint64_t max_bytes = UINT64_MAX) noexcept;

}  // namespace xichan::internal
