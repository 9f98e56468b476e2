// Upper bounds of the sizes of Python objects, with their headers and the rounding of their allocators.
#pragma once

#include "value/block_reader.h"
#include "value/body_cells.h"

namespace xichan::internal {

/// Returns a bound for the object that decoding a cell makes, without those of its elements: in CPython 3.13 to 3.15.
inline std::uint64_t object_bytes(const Cell& cell) noexcept {
  constexpr std::uint64_t header = 96;  // of any object, with what the garbage collector and allocator add
  const std::uint64_t length = cell.length();
  switch (cell.tag()) {
    case Tag::none:
    case Tag::false_:
    case Tag::true_:
    case Tag::ellipsis:
    case Tag::index:
    case Tag::repeat: return 0;
    case Tag::integer:
    case Tag::real: return 48;
    case Tag::ascii:
    case Tag::latin1:
    case Tag::ucs2:
    case Tag::ucs4: return header + length * text_width(text_kind(cell.tag()));
    case Tag::bytes: return header + length;
    case Tag::big_int: return header + length + length / 8;  // digits of 30 bits
    case Tag::tuple:
    case Tag::list: return header + length * 10;  // a list grows by an eighth
    case Tag::dict:
    case Tag::frozendict: return header + 256 + cell.entries() * 72;  // at least a third of its room is used
    case Tag::set:
    case Tag::frozenset: return header + 256 + cell.entries() * 128;  // at least an eighth
    case Tag::array: return 2048;                                     // a dtype too; the content has its own cell
    case Tag::record: return 512 + length * 96;                       // with a dict of its own
    default: return header;
  }
}

/// Returns a bound for what the object of a standard record takes beyond that, copies of its fields included.
std::uint64_t standard_bytes(const BodyCells& cells, std::int64_t type, std::uint64_t first) noexcept;

}  // namespace xichan::internal
