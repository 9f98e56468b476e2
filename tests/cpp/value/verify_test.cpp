// Verifying a body: what BlockBuilder makes is taken, and nothing else, to the last bit.
#include "support/support.h"
#include "value/block_reader.h"
#include "value/bodies.h"

namespace xichan::internal {
namespace {

using test::Body;
using test::field;
using test::flaw_of;
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

// A body of the one cell.
Body alone(const Cell& cell) {
  Body body(sizeof cell);
  std::memcpy(body.data(), &cell, sizeof cell);
  return body;
}

// A body of one cell, and then this.
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

TEST_F(VerifyBody, WhatABuilderMakesIsTaken) {
  EXPECT_EQ(flaw_of(rich_body()), "");
  EXPECT_EQ(flaw_of(alone(Cell::none())), "");
  EXPECT_EQ(flaw_of(alone(Cell::of(Tag::tuple))), "");
  EXPECT_EQ(flaw_of(alone(Cell::of_short(Tag::short_ascii, "", 0))), "");
}

TEST_F(VerifyBody, ItNeedNotBeAligned) {
  const Body body = rich_body();
  for (std::size_t shift = 0; shift < 16; ++shift) {
    Body moved(shift + body.size());
    std::memcpy(moved.data() + shift, body.data(), body.size());
    EXPECT_EQ(flaw_of(std::span(moved).subspan(shift)), "");
  }
}

TEST_F(VerifyBody, EveryOtherLengthIsRefused) {
  const Body body = rich_body();
  for (std::size_t length = 0; length < body.size(); ++length) {
    EXPECT_NE(flaw_of(std::span(body).first(length)), "") << length;
  }
  Body longer = body;
  for (int i = 0; i < 64; ++i) {
    longer.push_back(std::byte{0});
    EXPECT_NE(flaw_of(longer), "") << i;
  }
}

TEST_F(VerifyBody, EveryTag) {
  for (unsigned tag = 0; tag < 256; ++tag) {
    const bool complete = tag >= 1 && tag <= 5;
    const bool empty = tag == 6 || tag == 10 || tag == 17;  // of texts, the ASCII one alone
    EXPECT_EQ(flaw_of(alone(Cell::of(static_cast<Tag>(tag)))).empty(), complete || empty) << tag;
    const Body inside = with(rich_body(), 16, std::uint64_t{tag});
    EXPECT_EQ(flaw_of(inside).empty(), complete || empty) << tag;
  }
  for (const Tag tag : {Tag::reference, Tag::shared, Tag::window, Tag::queue, Tag::block, Tag::shared_block}) {
    EXPECT_EQ(flaw_of(alone(Cell::of(tag))), "value that cannot leave its process");
  }
  EXPECT_EQ(flaw_of(alone(Cell())), "cell without a value");
}

// Every length and every word, each set to every forged number. What is then taken is a value of another number.
TEST_F(VerifyBody, ForgedLengthsAndOffsets) {
  const Body body = rich_body();
  const std::uint64_t blocks = memory_stats().blocks;
  for (std::size_t at = 0; at < 23 * sizeof(Cell); at += sizeof(Cell)) {
    const auto tag = static_cast<Tag>(field<std::uint8_t>(body, at));
    const bool number = tag == Tag::integer || tag == Tag::real;
    for (const std::uint64_t value : forged) {
      const Body word = with(body, at + 8, value);
      const bool same_text = tag >= Tag::short_ascii && tag <= Tag::short_bytes;
      if (!number && !same_text && word != body) {
        EXPECT_NE(flaw_of(word), "") << at << ' ' << value;
      }
      if (number) {
        EXPECT_EQ(flaw_of(word), "");
      }
      const Body length = with(body, at, (field<std::uint64_t>(body, at) & 0xffff) | value << 16);
      if (!same_text && length != body) {
        EXPECT_NE(flaw_of(length), "") << at << ' ' << value;
      }
      const auto byte = static_cast<std::uint8_t>(value);
      const Body short_length = with(body, at + 1, byte);
      const bool mark = byte == 1 && tag >= Tag::ascii && tag <= Tag::big_int;
      if (short_length != body && !mark && !same_text) {
        EXPECT_NE(flaw_of(short_length), "") << at << ' ' << value;
      }
    }
  }
  EXPECT_EQ(memory_stats().blocks, blocks);
}

// One bit at a time. What is still taken has another content of the same form, or a mark more.
TEST_F(VerifyBody, EveryFlippedBit) {
  const Body body = rich_body();
  std::size_t taken = 0;
  for (std::size_t bit = 0; bit < body.size() * 8; ++bit) {
    const Body flipped = with(body, bit / 8, body[bit / 8] ^ std::byte(1 << bit % 8));
    taken += flaw_of(flipped).empty();
  }
  EXPECT_GT(taken, 100u);
  EXPECT_LT(taken, body.size() * 8 / 2);
}

TEST_F(VerifyBody, OneRepresentation) {
  EXPECT_EQ(flaw_of(text_body(Tag::ascii, std::string(14, 'a'))), "value that fits its cell");
  EXPECT_EQ(flaw_of(text_body(Tag::ascii, std::string(15, 'a'))), "");
  EXPECT_EQ(flaw_of(text_body(Tag::ascii, std::string(15, '\x80'))), "text that is not in its narrowest form");
  EXPECT_EQ(flaw_of(text_body(Tag::latin1, std::string(15, 'a'))), "text that is not in its narrowest form");
  EXPECT_EQ(flaw_of(text_body(Tag::latin1, std::string(15, 'a') + '\xff')), "");
  EXPECT_EQ(flaw_of(text_body(Tag::ucs2, std::u16string(15, 0xff))), "text that is not in its narrowest form");
  EXPECT_EQ(flaw_of(text_body(Tag::ucs2, std::u16string(7, 0x100))), "value that fits its cell");
  EXPECT_EQ(flaw_of(text_body(Tag::ucs2, std::u16string(8, 0x100))), "");
  EXPECT_EQ(flaw_of(text_body(Tag::ucs2, std::u16string(8, 0xdfff))), "") << "lone surrogates are code points of str";
  EXPECT_EQ(flaw_of(text_body(Tag::ucs4, std::u32string(8, 0xffff))), "text that is not in its narrowest form");
  EXPECT_EQ(flaw_of(text_body(Tag::ucs4, std::u32string(3, 0x10000))), "value that fits its cell");
  EXPECT_EQ(flaw_of(text_body(Tag::ucs4, std::u32string(4, 0x10000))), "");
  EXPECT_EQ(flaw_of(text_body(Tag::ucs4, std::u32string(4, 0x10ffff))), "");
  EXPECT_EQ(flaw_of(text_body(Tag::ucs4, std::u32string(4, 0x110000))), "code point above 10ffff");
  EXPECT_EQ(flaw_of(text_body(Tag::ucs4, std::u32string(4, 0xffffffff))), "code point above 10ffff");
  EXPECT_EQ(flaw_of(alone(Cell::of_short(Tag::short_ascii, "\x80", 1))), "text that is not in its narrowest form");
  EXPECT_EQ(flaw_of(alone(Cell::of_short(Tag::short_latin1, "a", 1))), "text that is not in its narrowest form");
  EXPECT_EQ(flaw_of(alone(Cell::of_short(Tag::short_latin1, "", 0))), "text that is not in its narrowest form");
  EXPECT_EQ(flaw_of(alone(Cell::of_short(Tag::short_ucs2, u"a", 1, 2))), "text that is not in its narrowest form");
  EXPECT_EQ(flaw_of(alone(Cell::of_short(Tag::short_ucs4, U"a", 1, 4))), "text that is not in its narrowest form");
  EXPECT_EQ(flaw_of(int_body({1})), "int of a wrong length");
  EXPECT_EQ(flaw_of(int_body({1, 0})), "int that needs fewer bytes");
  EXPECT_EQ(flaw_of(int_body({UINT64_MAX, UINT64_MAX})), "int that needs fewer bytes");
  EXPECT_EQ(flaw_of(int_body({1ull << 63, 0})), "");
  EXPECT_EQ(flaw_of(int_body({INT64_MAX, UINT64_MAX})), "");
  EXPECT_EQ(flaw_of(int_body({0, 1ull << 63})), "");
  EXPECT_EQ(flaw_of(int_body({0, 1ull << 63, UINT64_MAX})), "int that needs fewer bytes");
}

TEST_F(VerifyBody, NothingIsLeftOverOrHidden) {
  Body body = text_body(Tag::ascii, std::string(18, 'a'));
  EXPECT_EQ(flaw_of(body), "");
  EXPECT_EQ(flaw_of(with(body, 16 + 18, 'x')), "padding that is not zero") << "the NUL";
  EXPECT_EQ(flaw_of(with(body, 16 + 31, 'x')), "padding that is not zero");
  body.resize(body.size() + 16);
  EXPECT_EQ(flaw_of(body), "bytes that belong to no value");
  EXPECT_EQ(flaw_of(with(alone(Cell::of_short(Tag::short_bytes, "ab", 2)), 15, 'x')), "padding that is not zero");
  EXPECT_EQ(flaw_of(with(alone(Cell::none()), 15, 'x')), "singleton with a word");
  EXPECT_EQ(flaw_of(with(alone(Cell::none()), 5, 'x')), "reserved byte that is not zero");
  EXPECT_EQ(flaw_of(with(alone(Cell::integer(1)), 1, '\1')), "reserved byte that is not zero");
}

TEST_F(VerifyBody, TuplesThatShareOrContainThemselves) {
  // A pair whose elements are both the next pair, 60 deep: 2^60 leaves.
  Body bomb = alone(Cell::of(Tag::tuple, 2, 16));
  for (std::uint64_t level = 1; level <= 60; ++level) {
    const Body next = alone(Cell::of(Tag::tuple, 2, level * 32 + 16));
    for (int i = 0; i < 2; ++i) bomb.insert(bomb.end(), next.begin(), next.end());
  }
  bomb.resize(bomb.size() + 32);
  EXPECT_EQ(flaw_of(bomb), "tuple whose elements are not next in order");
  // A tuple that is its own element.
  EXPECT_EQ(flaw_of(followed(Cell::of(Tag::tuple, 1, 16), std::string("\x11\0\1\0\0\0\0\0\x10\0\0\0\0\0\0\0", 16))),
            "tuple longer than the rest");
  EXPECT_EQ(flaw_of(alone(Cell::of(Tag::tuple, 1, 0))), "tuple longer than the rest");
}

TEST_F(VerifyBody, PayloadsThatShare) {
  const Body body = rich_body();
  const std::size_t ascii = 16 + 10 * 16, bytes = 16 + 14 * 16, repeat = 16 + 17 * 16 + 2 * 16;
  ASSERT_EQ(field<std::uint8_t>(body, repeat), static_cast<unsigned>(Tag::repeat));
  // A second cell of the very same words.
  EXPECT_NE(flaw_of(with(body, repeat, field<Cell>(body, ascii))), "");
  EXPECT_EQ(flaw_of(with(body, ascii + 1, '\0')), "repeat of a cell that is not marked");
  EXPECT_EQ(flaw_of(with(body, ascii + 1, '\2')), "unknown mark");
  EXPECT_EQ(flaw_of(with(body, repeat + 8, bytes)), "repeat of a cell that is not marked");
  EXPECT_EQ(flaw_of(with(with(body, repeat + 8, bytes), bytes + 1, '\1')), "");
  EXPECT_EQ(flaw_of(with(body, repeat + 8, repeat)), "repeat of what is no earlier cell") << "itself";
  EXPECT_EQ(flaw_of(with(body, repeat + 8, ascii + 8)), "repeat of what is no earlier cell");
  EXPECT_EQ(flaw_of(with(body, repeat + 8, std::uint64_t{0})), "repeat of a cell that is not marked") << "a tuple";
  EXPECT_EQ(flaw_of(with(body, repeat + 1, '\1')), "reserved byte that is not zero");
}

// A chain of tuples, a million deep: taken, and walked, on a small stack.
TEST_F(VerifyBody, AnyDepth) {
  constexpr std::uint64_t depth = 1'000'000;
  std::vector<Cell> cells;
  for (std::uint64_t i = 0; i < depth; ++i) cells.push_back(Cell::of(Tag::tuple, 1, (i + 1) * 16));
  cells.push_back(Cell::none());
  test::on_small_stack([&] { EXPECT_EQ(flaw_of(std::as_bytes(std::span(cells))), ""); });
  cells[depth / 2].word += 16;
  EXPECT_EQ(flaw_of(std::as_bytes(std::span(cells))), "tuple whose elements are not next in order");
}

TEST_F(VerifyBody, TheFlawSaysWhere) {
  VerifyError flaw;
  const Body body = with(rich_body(), 5 * 16 + 3, 'x');
  EXPECT_EQ(verify(body, flaw), Status::invalid);
  EXPECT_EQ(flaw.offset, 5 * 16u);
}

}  // namespace
}  // namespace xichan::internal
