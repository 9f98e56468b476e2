// Building and reading blocks; an unfinished builder leaks nothing.
#include <array>
#include <cmath>
#include <string>

#include "support/support.h"
#include "value/block_builder.h"
#include "value/block_reader.h"
#include "value/message.h"

namespace xichan::internal {
namespace {

class BlockValue : public test::ArenaTest {
 protected:
  void TearDown() override {
    Arena::fail_after(-1);
    ArenaTest::TearDown();
  }
};

std::string bytes_at(const BlockReader& reader, const Cell& cell, std::size_t width = 1, std::size_t extra = 0) {
  return {static_cast<const char*>(reader.payload(cell)), (cell.length() + extra) * width};
}

// Makes a block whose root is bytes.
Cell bytes_message(const std::string& data) {
  BlockBuilder builder;
  builder.count_bytes(data.size());
  EXPECT_EQ(builder.allocate(), Status::ok);
  builder.write_bytes(builder.root(), data.data(), data.size());
  return builder.finish();
}

std::atomic<int> released{0};
void count_up(void*) noexcept { ++released; }
constinit const ReferenceType counting_reference{ReferenceKind::sender, count_up};

TEST_F(BlockValue, EveryTagRoundTrips) {
  const std::string ascii(40, 'a');
  const std::string latin1 = "caf\xe9 \xff" + std::string(1, '\0') + "0123456789";
  const std::u16string ucs2 = char16_t{0xd800} + std::u16string(u" lone, \u20ac and more");
  const std::u32string ucs4 = U"\U0001f600 smile";
  const std::string bytes("\0\x01\xfe\xff", 4);
  const std::array<std::uint64_t, 3> limbs{1, UINT64_MAX, 1};
  const Cell inner = bytes_message("inner");

  BlockBuilder builder;
  builder.count_tuple(13);
  builder.count_text(TextKind::ascii, ascii.size());
  builder.count_text(TextKind::latin1, latin1.size());
  builder.count_text(TextKind::ucs2, ucs2.size());
  builder.count_text(TextKind::ucs4, ucs4.size());
  builder.count_bytes(bytes.size());
  builder.count_bytes(sizeof limbs);
  builder.count_reference();
  builder.count_tuple(0);
  builder.count_tuple(2);
  ASSERT_EQ(builder.allocate(), Status::ok);
  Cell* cells = builder.write_tuple(builder.root(), 13);
  cells[0] = Cell::none();
  cells[1] = Cell::boolean(true);
  cells[2] = Cell::integer(-7);
  cells[3] = Cell::real(-0.0);
  cells[4] = Cell::of_short(Tag::short_ascii, "short", 5);
  builder.write_text(cells[5], TextKind::ascii, ascii.data(), ascii.size());
  builder.write_text(cells[6], TextKind::latin1, latin1.data(), latin1.size());
  builder.write_text(cells[7], TextKind::ucs2, ucs2.data(), ucs2.size());
  builder.write_text(cells[8], TextKind::ucs4, ucs4.data(), ucs4.size());
  builder.write_bytes(cells[9], bytes.data(), bytes.size());
  std::memcpy(builder.write_big_int(cells[10], sizeof limbs), limbs.data(), sizeof limbs);
  builder.write_reference(cells[11], {&block_reference, inner.as_block()});
  Cell* pair = builder.write_tuple(cells[12], 2);
  builder.write_tuple(pair[0], 0);
  pair[1] = Cell::integer(2);
  const Cell message = builder.finish();

  EXPECT_EQ(message.tag(), Tag::block);
  const BlockReader reader(message.as_block());
  ASSERT_EQ(reader.root().tag(), Tag::tuple);
  const auto read = reader.elements(reader.root());
  ASSERT_EQ(read.size(), 13u);
  EXPECT_EQ(read[0].tag(), Tag::none);
  EXPECT_EQ(read[1].tag(), Tag::true_);
  EXPECT_EQ(read[2].as_integer(), -7);
  EXPECT_TRUE(std::signbit(read[3].as_real()));
  EXPECT_EQ(std::string(read[4].payload(), read[4].short_length()), "short");
  EXPECT_EQ(bytes_at(reader, read[5], 1, 1), ascii + '\0') << "a text ends in a NUL of its width";
  EXPECT_EQ(bytes_at(reader, read[6], 1, 1), latin1 + '\0');
  EXPECT_EQ(std::memcmp(reader.payload(read[7]), ucs2.c_str(), (ucs2.size() + 1) * 2), 0);
  EXPECT_EQ(std::memcmp(reader.payload(read[8]), ucs4.c_str(), (ucs4.size() + 1) * 4), 0);
  EXPECT_EQ(bytes_at(reader, read[9]), bytes);
  EXPECT_EQ(read[10].tag(), Tag::big_int);
  EXPECT_EQ(read[10].length(), sizeof limbs);
  EXPECT_EQ(std::memcmp(reader.payload(read[10]), limbs.data(), sizeof limbs), 0);
  EXPECT_EQ(reader.reference(read[11]).object, inner.as_block());
  const auto nested = reader.elements(read[12]);
  EXPECT_EQ(reader.elements(nested[0]).size(), 0u);
  EXPECT_EQ(nested[1].as_integer(), 2);
  for (const Cell& cell : read) EXPECT_NE(cell.tag(), Tag::block) << "C1: never inside a body";

  EXPECT_EQ(new_blocks(), 2u);
  release(message);
  EXPECT_EQ(new_blocks(), 0u) << "its references are released with it";
}

TEST_F(BlockValue, PayloadsAreAlignedAndWithinBody) {
  for (std::uint64_t length = 0; length < 70; ++length) {
    BlockBuilder builder;
    builder.count_tuple(8);
    for (int i = 0; i < 2; ++i) {
      for (int kind = 0; kind < 4; ++kind) builder.count_text(static_cast<TextKind>(kind), length + i);
    }
    ASSERT_EQ(builder.allocate(), Status::ok);
    Cell* cells = builder.write_tuple(builder.root(), 8);
    const std::string data(4 * 71, 'x');
    for (int i = 0; i < 8; ++i) builder.write_text(cells[i], static_cast<TextKind>(i % 4), data.data(), length + i / 4);
    const Cell message = builder.finish();
    std::uint64_t end = 9 * sizeof(Cell);
    for (const Cell& cell : BlockReader(message.as_block()).elements(BlockReader(message.as_block()).root())) {
      EXPECT_EQ(cell.word % BlockBuilder::payload_alignment, 0u);
      EXPECT_GE(cell.word, end) << "payloads overlap";
      end = cell.word + (cell.length() + 1) * text_width(text_kind(cell.tag()));
    }
    EXPECT_LE(end, message.as_block()->body_bytes());
    release(message);
  }
}

// Builds bytes in memory that was filled with `dirt`, and returns the body.
std::string body_in_dirty_memory(const std::string& data, int dirt) {
  const Cell used = bytes_message(data);
  std::memset(used.as_block()->body(), dirt, used.as_block()->body_bytes());
  release(used);
  const Cell message = bytes_message(data);
  const Block* block = message.as_block();
  std::string body(reinterpret_cast<const char*>(block->body()), block->body_bytes());
  release(message);
  return body;
}

TEST_F(BlockValue, EqualValuesHaveIdenticalBodies) {
  for (std::size_t length = 15; length < 100; ++length) {
    const std::string data(length, 'd');
    EXPECT_EQ(body_in_dirty_memory(data, 0x11), body_in_dirty_memory(data, 0xee)) << length;
  }
}

TEST_F(BlockValue, AbandonedBuilderReleasesItsReferences) {
  released = 0;
  {
    BlockBuilder builder;
    builder.count_tuple(3);
    for (int i = 0; i < 3; ++i) builder.count_reference();
    ASSERT_EQ(builder.allocate(), Status::ok);
    Cell* cells = builder.write_tuple(builder.root(), 3);
    builder.write_reference(cells[0], {&counting_reference, nullptr});
    builder.write_reference(cells[1], {&counting_reference, nullptr});
    EXPECT_EQ(new_blocks(), 1u);
  }
  EXPECT_EQ(released, 2);
  EXPECT_EQ(new_blocks(), 0u);
}

TEST_F(BlockValue, FinishedBuilderDoesNotReleaseBlock) {
  released = 0;
  Cell message;
  {
    BlockBuilder builder;
    builder.count_reference();
    ASSERT_EQ(builder.allocate(), Status::ok);
    builder.write_reference(builder.root(), {&counting_reference, nullptr});
    message = builder.finish();
  }
  EXPECT_EQ(released, 0);
  retain(message);
  release(message);
  EXPECT_EQ(released, 0);
  release(message);
  EXPECT_EQ(released, 1);
}

TEST_F(BlockValue, BuilderWithoutBlockLeaksNothing) {
  {
    BlockBuilder builder;
  }
  Arena::fail_after(0);
  BlockBuilder builder;
  builder.count_bytes(100);
  EXPECT_EQ(builder.allocate(), Status::no_memory);
  EXPECT_EQ(new_bytes(), 0u);
}

TEST_F(BlockValue, LengthsBeyondFormatAreTooLarge) {
  for (const std::uint64_t length : {max_length + 1, std::uint64_t{1} << 60, std::uint64_t{1} << 63, UINT64_MAX}) {
    BlockBuilder bytes, text, tuple;
    bytes.count_bytes(length);
    text.count_text(TextKind::ucs4, length);
    tuple.count_tuple(length);
    EXPECT_EQ(bytes.allocate(), Status::too_large);
    EXPECT_EQ(text.allocate(), Status::too_large);
    EXPECT_EQ(tuple.allocate(), Status::too_large);
  }
  BlockBuilder many;
  for (int i = 0; i < 5'000'000; ++i) many.count_tuple(max_length);  // each is allowed, the sum wraps
  EXPECT_EQ(many.allocate(), Status::too_large);
}

}  // namespace
}  // namespace xichan::internal
