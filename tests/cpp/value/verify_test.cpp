// verify() accepts exactly the bodies that BlockBuilder makes, to the last bit.
#include "support/support.h"
#include "value/block_reader.h"
#include "value/bodies.h"

namespace xichan::internal {
namespace {

using test::Body;
using test::error_of;
using test::field;
using test::rich_body;
using test::with;

class VerifyBody : public test::ArenaTest {};

constexpr std::uint64_t forged[] = {0,
                                    1,
                                    (1ull << 31) - 1,
                                    1ull << 31,
                                    (1ull << 31) + 1,
                                    (1ull << 32) - 1,
                                    1ull << 32,
                                    (1ull << 32) + 1,
                                    1ull << 47,
                                    (1ull << 48) - 1,
                                    INT64_MAX,
                                    1ull << 63,
                                    UINT64_MAX - 15,
                                    UINT64_MAX};

// Makes a body of one cell.
Body alone(const Cell& cell) {
  Body body(sizeof cell);
  std::memcpy(body.data(), &cell, sizeof cell);
  return body;
}

// Makes a body of one cell followed by `payload`.
Body followed(const Cell& cell, const std::string& payload) {
  Body body = alone(cell);
  const auto bytes = std::as_bytes(std::span(payload));
  body.insert(body.end(), bytes.begin(), bytes.end());
  body.resize(align_up(body.size(), 16));
  return body;
}

template <class Unit>
Body text_body(Tag tag, const std::basic_string<Unit>& text) {
  return followed(Cell::of(tag, text.size(), 16),
                  std::string(reinterpret_cast<const char*>(text.c_str()), (text.size() + 1) * sizeof(Unit)));
}

Body int_body(std::initializer_list<std::uint64_t> limbs) {
  return followed(Cell::of(Tag::big_int, limbs.size() * 8, 16),
                  std::string(reinterpret_cast<const char*>(limbs.begin()), limbs.size() * 8));
}

TEST_F(VerifyBody, BuilderOutputIsAccepted) {
  EXPECT_EQ(error_of(rich_body()), "");
  EXPECT_EQ(error_of(alone(Cell::none())), "");
  EXPECT_EQ(error_of(alone(Cell::of(Tag::tuple))), "");
  EXPECT_EQ(error_of(alone(Cell::of_short(Tag::short_ascii, "", 0))), "");
}

TEST_F(VerifyBody, UnalignedBodyIsAccepted) {
  const Body body = rich_body();
  for (std::size_t shift = 0; shift < 16; ++shift) {
    Body moved(shift + body.size());
    std::memcpy(moved.data() + shift, body.data(), body.size());
    EXPECT_EQ(error_of(std::span(moved).subspan(shift)), "");
  }
}

TEST_F(VerifyBody, WrongLengthsAreRefused) {
  const Body body = rich_body();
  for (std::size_t length = 0; length < body.size(); ++length) {
    EXPECT_NE(error_of(std::span(body).first(length)), "") << length;
  }
  Body longer = body;
  for (int i = 0; i < 64; ++i) {
    longer.push_back(std::byte{0});
    EXPECT_NE(error_of(longer), "") << i;
  }
}

TEST_F(VerifyBody, OnlyDumpableTagsAreAccepted) {
  for (unsigned tag = 0; tag < 256; ++tag) {
    const bool complete = (tag >= 1 && tag <= 5) || tag == 18;
    const bool empty = tag == 6 || tag == 10 || tag == 17;  // empty text must be ASCII
    const bool container = tag >= 19 && tag <= 23;          // an empty list, dict or set has its offset as word
    EXPECT_EQ(error_of(alone(Cell::of(static_cast<Tag>(tag)))).empty(), complete || empty || container) << tag;
    const Body inside = with(rich_body(), 16, std::uint64_t{tag});
    EXPECT_EQ(error_of(inside).empty(), complete || empty) << tag;
  }
  for (const Tag tag : {Tag::reference, Tag::shared, Tag::window, Tag::queue, Tag::block, Tag::shared_block}) {
    EXPECT_EQ(error_of(alone(Cell::of(tag))), "value cannot leave its process");
  }
  EXPECT_EQ(error_of(alone(Cell())), "cell has no value");
}

// Sets every length and every word to every forged number. Only changed numbers are accepted.
TEST_F(VerifyBody, ForgedLengthsAndOffsetsAreRefused) {
  const Body body = rich_body();
  const std::uint64_t blocks = memory_stats().blocks;
  for (std::size_t at = 0; at < 23 * sizeof(Cell); at += sizeof(Cell)) {
    const auto tag = static_cast<Tag>(field<std::uint8_t>(body, at));
    const bool number = tag == Tag::integer || tag == Tag::real;
    for (const std::uint64_t value : forged) {
      const Body word = with(body, at + 8, value);
      const bool same_text = tag >= Tag::short_ascii && tag <= Tag::short_bytes;
      if (!number && !same_text && word != body) {
        EXPECT_NE(error_of(word), "") << at << ' ' << value;
      }
      if (number) {
        EXPECT_EQ(error_of(word), "");
      }
      const Body length = with(body, at, (field<std::uint64_t>(body, at) & 0xffff) | value << 16);
      if (!same_text && length != body) {
        EXPECT_NE(error_of(length), "") << at << ' ' << value;
      }
      const auto byte = static_cast<std::uint8_t>(value);
      const Body short_length = with(body, at + 1, byte);
      const bool mark = byte == 1 && tag >= Tag::ascii && tag <= Tag::big_int;
      if (short_length != body && !mark && !same_text) {
        EXPECT_NE(error_of(short_length), "") << at << ' ' << value;
      }
    }
  }
  EXPECT_EQ(memory_stats().blocks, blocks);
}

// Flips one bit at a time. An accepted body has other content of the same form, or an additional mark.
TEST_F(VerifyBody, FlippedBitsAreMostlyRefused) {
  const Body body = rich_body();
  std::size_t accepted = 0;
  for (std::size_t bit = 0; bit < body.size() * 8; ++bit) {
    const Body flipped = with(body, bit / 8, body[bit / 8] ^ std::byte(1 << bit % 8));
    accepted += error_of(flipped).empty();
  }
  EXPECT_GT(accepted, 100u);
  EXPECT_LT(accepted, body.size() * 8 / 2);
}

TEST_F(VerifyBody, OnlyCanonicalRepresentationIsAccepted) {
  EXPECT_EQ(error_of(text_body(Tag::ascii, std::string(14, 'a'))), "value fits in a cell but has a payload");
  EXPECT_EQ(error_of(text_body(Tag::ascii, std::string(15, 'a'))), "");
  EXPECT_EQ(error_of(text_body(Tag::ascii, std::string(15, '\x80'))), "text is not in its narrowest form");
  EXPECT_EQ(error_of(text_body(Tag::latin1, std::string(15, 'a'))), "text is not in its narrowest form");
  EXPECT_EQ(error_of(text_body(Tag::latin1, std::string(15, 'a') + '\xff')), "");
  EXPECT_EQ(error_of(text_body(Tag::ucs2, std::u16string(15, 0xff))), "text is not in its narrowest form");
  EXPECT_EQ(error_of(text_body(Tag::ucs2, std::u16string(7, 0x100))), "value fits in a cell but has a payload");
  EXPECT_EQ(error_of(text_body(Tag::ucs2, std::u16string(8, 0x100))), "");
  EXPECT_EQ(error_of(text_body(Tag::ucs2, std::u16string(8, 0xdfff))), "") << "lone surrogates are code points of str";
  EXPECT_EQ(error_of(text_body(Tag::ucs4, std::u32string(8, 0xffff))), "text is not in its narrowest form");
  EXPECT_EQ(error_of(text_body(Tag::ucs4, std::u32string(3, 0x10000))), "value fits in a cell but has a payload");
  EXPECT_EQ(error_of(text_body(Tag::ucs4, std::u32string(4, 0x10000))), "");
  EXPECT_EQ(error_of(text_body(Tag::ucs4, std::u32string(4, 0x10ffff))), "");
  EXPECT_EQ(error_of(text_body(Tag::ucs4, std::u32string(4, 0x110000))), "code point exceeds U+10FFFF");
  EXPECT_EQ(error_of(text_body(Tag::ucs4, std::u32string(4, 0xffffffff))), "code point exceeds U+10FFFF");
  EXPECT_EQ(error_of(alone(Cell::of_short(Tag::short_ascii, "\x80", 1))), "text is not in its narrowest form");
  EXPECT_EQ(error_of(alone(Cell::of_short(Tag::short_latin1, "a", 1))), "text is not in its narrowest form");
  EXPECT_EQ(error_of(alone(Cell::of_short(Tag::short_latin1, "", 0))), "text is not in its narrowest form");
  EXPECT_EQ(error_of(alone(Cell::of_short(Tag::short_ucs2, u"a", 1, 2))), "text is not in its narrowest form");
  EXPECT_EQ(error_of(alone(Cell::of_short(Tag::short_ucs4, U"a", 1, 4))), "text is not in its narrowest form");
  EXPECT_EQ(error_of(int_body({1})), "int has an invalid length");
  EXPECT_EQ(error_of(int_body({1, 0})), "int is not in its shortest form");
  EXPECT_EQ(error_of(int_body({UINT64_MAX, UINT64_MAX})), "int is not in its shortest form");
  EXPECT_EQ(error_of(int_body({1ull << 63, 0})), "");
  EXPECT_EQ(error_of(int_body({INT64_MAX, UINT64_MAX})), "");
  EXPECT_EQ(error_of(int_body({0, 1ull << 63})), "");
  EXPECT_EQ(error_of(int_body({0, 1ull << 63, UINT64_MAX})), "int is not in its shortest form");
}

TEST_F(VerifyBody, UnusedBytesMustBeZeroPadding) {
  Body body = text_body(Tag::ascii, std::string(18, 'a'));
  EXPECT_EQ(error_of(body), "");
  EXPECT_EQ(error_of(with(body, 16 + 18, 'x')), "padding is not zero") << "the NUL";
  EXPECT_EQ(error_of(with(body, 16 + 31, 'x')), "padding is not zero");
  body.resize(body.size() + 16);
  EXPECT_EQ(error_of(body), "bytes after the last value");
  EXPECT_EQ(error_of(with(alone(Cell::of_short(Tag::short_bytes, "ab", 2)), 15, 'x')), "padding is not zero");
  EXPECT_EQ(error_of(with(alone(Cell::none()), 15, 'x')), "value without content has a word");
  EXPECT_EQ(error_of(with(alone(Cell::none()), 5, 'x')), "reserved byte is not zero");
  EXPECT_EQ(error_of(with(alone(Cell::integer(1)), 1, '\1')), "reserved byte is not zero");
}

TEST_F(VerifyBody, SharedAndCyclicTuplesAreRefused) {
  // A pair whose elements are both the next pair, 60 deep: 2^60 leaves.
  Body bomb = alone(Cell::of(Tag::tuple, 2, 16));
  for (std::uint64_t level = 1; level <= 60; ++level) {
    const Body next = alone(Cell::of(Tag::tuple, 2, level * 32 + 16));
    for (int i = 0; i < 2; ++i) bomb.insert(bomb.end(), next.begin(), next.end());
  }
  bomb.resize(bomb.size() + 32);
  EXPECT_EQ(error_of(bomb), "elements are not next in order");
  // A tuple that is its own element.
  EXPECT_EQ(error_of(followed(Cell::of(Tag::tuple, 1, 16), std::string("\x11\0\1\0\0\0\0\0\x10\0\0\0\0\0\0\0", 16))),
            "container is longer than the remaining body");
  EXPECT_EQ(error_of(alone(Cell::of(Tag::tuple, 1, 0))), "container is longer than the remaining body");
}

TEST_F(VerifyBody, SharedPayloadsAreRefusedWithoutRepeat) {
  const Body body = rich_body();
  const std::size_t ascii = 16 + 10 * 16, bytes = 16 + 14 * 16, repeat = 16 + 17 * 16 + 2 * 16;
  ASSERT_EQ(field<std::uint8_t>(body, repeat), static_cast<unsigned>(Tag::repeat));
  // A second cell with the same words.
  EXPECT_NE(error_of(with(body, repeat, field<Cell>(body, ascii))), "");
  EXPECT_EQ(error_of(with(body, ascii + 1, '\0')), "back-reference to a cell that is not marked as repeated");
  EXPECT_EQ(error_of(with(body, ascii + 1, '\2')), "unknown mark");
  EXPECT_EQ(error_of(with(body, repeat + 8, bytes)), "back-reference to a cell that is not marked as repeated");
  const Body moved = with(with(body, repeat + 8, bytes), bytes + 1, '\1');
  EXPECT_EQ(error_of(moved), "repeat mark without a back-reference") << "the mark of the cell that it pointed to";
  EXPECT_EQ(error_of(with(moved, ascii + 1, '\0')), "");
  EXPECT_EQ(error_of(with(body, repeat + 8, repeat)), "back-reference does not point to an earlier cell") << "itself";
  EXPECT_EQ(error_of(with(body, repeat + 8, ascii + 8)), "back-reference does not point to an earlier cell");
  EXPECT_EQ(error_of(with(body, repeat + 8, std::uint64_t{0})),
            "back-reference to a cell that is not marked as repeated")
      << "a tuple";
  EXPECT_EQ(error_of(with(body, repeat + 1, '\1')), "reserved byte is not zero");
}

// Verifies a chain of one million nested tuples on a small stack.
TEST_F(VerifyBody, DeepNestingNeedsNoStack) {
  constexpr std::uint64_t depth = 1'000'000;
  std::vector<Cell> cells;
  for (std::uint64_t i = 0; i < depth; ++i) cells.push_back(Cell::of(Tag::tuple, 1, (i + 1) * 16));
  cells.push_back(Cell::none());
  test::on_small_stack([&] { EXPECT_EQ(error_of(std::as_bytes(std::span(cells))), ""); });
  cells[depth / 2].word += 16;
  EXPECT_EQ(error_of(std::as_bytes(std::span(cells))), "elements are not next in order");
}

TEST_F(VerifyBody, ErrorHasOffset) {
  VerifyError error;
  const Body body = with(rich_body(), 5 * 16 + 3, 'x');
  BodySizes sizes;
  EXPECT_EQ(verify(body, error, sizes), Status::invalid);
  EXPECT_EQ(error.offset, 5 * 16u);
}

// A tuple of two different bytes.
Cell bytes_pair() {
  const std::string one(40, '1'), two(40, '2');
  BlockBuilder builder;
  builder.count_tuple(2);
  builder.count_bytes(one.size());
  builder.count_bytes(two.size());
  EXPECT_EQ(builder.allocate(), Status::ok);
  Cell* cells = builder.write_tuple(builder.root(), 2);
  builder.write_bytes(cells[0], one.data(), one.size());
  builder.write_bytes(cells[1], two.data(), two.size());
  return builder.finish();
}

TEST_F(VerifyBody, RepeatMarkWithoutBackReferenceIsRefused) {
  const Body body = test::take_body(bytes_pair());
  EXPECT_EQ(error_of(body), "");
  for (const std::size_t cell : {1u, 2u}) {
    VerifyError error;
    BodySizes sizes;
    EXPECT_EQ(verify(with(body, cell * 16 + 1, char(1)), error, sizes), Status::invalid);
    EXPECT_STREQ(error.what, "repeat mark without a back-reference");
    EXPECT_EQ(error.offset, cell * 16);
  }
  // One mark with a back-reference and one without.
  const Body both = test::take_body(test::rich_message());
  EXPECT_EQ(error_of(both), "");
  std::size_t marked = 0;
  for (std::size_t at = 16; at < 18 * 16; at += 16) {
    Cell cell;
    std::memcpy(&cell, both.data() + at, sizeof cell);
    if (cell.has_payload() && !cell.is_repeated()) marked = at;
  }
  EXPECT_EQ(error_of(with(both, marked + 1, '\1')), "repeat mark without a back-reference");
}

}  // namespace
}  // namespace xichan::internal
