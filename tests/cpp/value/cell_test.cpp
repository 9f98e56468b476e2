// Encoding of values in the 16 bytes of a cell.
#include "value/cell.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <string>

#include "value/block_reader.h"

namespace xichan::internal {
namespace {

TEST(Cell, ZeroedMemoryHasNoValue) {
  const Cell cell;
  EXPECT_EQ(cell.head, 0u);
  EXPECT_EQ(cell.tag(), Tag::empty);
  EXPECT_EQ(static_cast<unsigned>(Tag::shared_block) + 1, tag_count);
}

TEST(Cell, NoneAndBoolsHaveTags) {
  EXPECT_EQ(Cell::none().tag(), Tag::none);
  EXPECT_EQ(Cell::boolean(true).tag(), Tag::true_);
  EXPECT_EQ(Cell::boolean(false).tag(), Tag::false_);
}

TEST(Cell, IntegersOf64BitsRoundTrip) {
  for (const std::int64_t value : {INT64_MIN, INT64_MIN + 1, std::int64_t{-1}, std::int64_t{0}, INT64_MAX}) {
    EXPECT_EQ(Cell::integer(value).tag(), Tag::integer);
    EXPECT_EQ(Cell::integer(value).as_integer(), value);
  }
  for (int k = 0; k < 63; ++k) {
    for (const std::int64_t value : {(std::int64_t{1} << k) - 1, std::int64_t{1} << k, -(std::int64_t{1} << k)}) {
      EXPECT_EQ(Cell::integer(value).as_integer(), value);
    }
  }
}

TEST(Cell, FloatsKeepTheirBits) {
  const double subnormal = std::numeric_limits<double>::denorm_min();
  for (const std::uint64_t bits :
       {std::bit_cast<std::uint64_t>(-0.0), std::bit_cast<std::uint64_t>(subnormal), std::uint64_t{0x7ff8000000000abc},
        std::uint64_t{0xfff0dead0000beef}, std::uint64_t{0x7ff0000000000000}, std::uint64_t{0x7ff4000000000001}}) {
    const Cell cell = Cell::real(std::bit_cast<double>(bits));
    EXPECT_EQ(cell.tag(), Tag::real);
    EXPECT_EQ(cell.word, bits);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(cell.as_real()), bits);
  }
}

TEST(Cell, LengthAndWordAreIndependentForEveryTag) {
  for (std::uint8_t tag = 0; tag < tag_count; ++tag) {
    for (const std::uint64_t length : {std::uint64_t{0}, std::uint64_t{1}, max_length - 1, max_length}) {
      for (const std::uint64_t word : {std::uint64_t{0}, UINT64_MAX}) {
        const Cell cell = Cell::of(static_cast<Tag>(tag), length, word);
        EXPECT_EQ(cell.tag(), static_cast<Tag>(tag));
        EXPECT_EQ(cell.length(), length);
        EXPECT_EQ(cell.word, word);
      }
    }
  }
}

TEST(Cell, ShortPayloadsOfEveryLengthRoundTrip) {
  const std::string data(
      "\0\x01\xff"
      "bcdefghijkl\0zz",
      17);
  for (std::size_t length = 0; length <= short_payload; ++length) {
    const Cell cell = Cell::of_short(Tag::short_bytes, data.data(), length);
    EXPECT_EQ(cell.tag(), Tag::short_bytes);
    EXPECT_EQ(cell.short_length(), length);
    EXPECT_EQ(std::string(cell.payload(), length), data.substr(0, length));
    for (std::size_t i = length; i < short_payload; ++i) EXPECT_EQ(cell.payload()[i], 0) << "the rest is zero";
  }
}

TEST(Cell, ShortTextOfEveryWidthRoundTrips) {
  const char16_t wide[] = {0x100, 0xd800, u'x', 0, u'y', u'z', 0xffff};
  const Cell two = Cell::of_short(Tag::short_ucs2, wide, 7, 2);
  EXPECT_EQ(two.short_length(), 7u);
  EXPECT_EQ(std::memcmp(two.payload(), wide, 14), 0);
  const char32_t wider[] = {0x10ffff, 0, 0x1f600};
  const Cell four = Cell::of_short(Tag::short_ucs4, wider, 3, 4);
  EXPECT_EQ(four.short_length(), 3u);
  EXPECT_EQ(std::memcmp(four.payload(), wider, 12), 0);
}

TEST(Cell, FitsShortUpTo14Bytes) {
  EXPECT_TRUE(fits_short(0, 1));
  EXPECT_TRUE(fits_short(14, 1));
  EXPECT_FALSE(fits_short(15, 1));
  EXPECT_TRUE(fits_short(7, 2));
  EXPECT_FALSE(fits_short(8, 2));
  EXPECT_TRUE(fits_short(3, 4));
  EXPECT_FALSE(fits_short(4, 4));
  for (const std::uint64_t length : {max_length, std::uint64_t{1} << 62, std::uint64_t{1} << 63, UINT64_MAX}) {
    for (const unsigned width : {1u, 2u, 4u}) EXPECT_FALSE(fits_short(length, width)) << length << " x " << width;
  }
}

TEST(Cell, TextKindsMapToTags) {
  const TextKind kinds[] = {TextKind::ascii, TextKind::latin1, TextKind::ucs2, TextKind::ucs4};
  const Tag shorts[] = {Tag::short_ascii, Tag::short_latin1, Tag::short_ucs2, Tag::short_ucs4};
  const Tag longs[] = {Tag::ascii, Tag::latin1, Tag::ucs2, Tag::ucs4};
  const unsigned widths[] = {1, 1, 2, 4};
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(short_text_tag(kinds[i]), shorts[i]);
    EXPECT_EQ(text_tag(kinds[i]), longs[i]);
    EXPECT_EQ(text_width(kinds[i]), widths[i]);
    EXPECT_EQ(text_kind(shorts[i]), kinds[i]);
    EXPECT_EQ(text_kind(longs[i]), kinds[i]);
  }
}

TEST(Cell, BlockCellHoldsAddress) {
  alignas(16) std::byte somewhere[16];
  Block* block = reinterpret_cast<Block*>(somewhere);
  EXPECT_EQ(Cell::of_block(block).tag(), Tag::block);
  EXPECT_EQ(Cell::of_block(block).as_block(), block);
}

}  // namespace
}  // namespace xichan::internal
