// What leaves the process: references, windows and Shareds written out, ends refused with their place; and what comes
// back.
#include "value/dump.h"
#include "support/support.h"
#include "value/block_reader.h"
#include "value/bodies.h"

namespace xichan::internal {
namespace {

using test::Body;
using test::flaw_of;
using test::take_body;

class DumpValue : public test::ArenaTest {
 protected:
  void TearDown() override {
    Arena::fail_after(-1);
    set_memory_limit(UINT64_MAX);
    ArenaTest::TearDown();
  }
};

void give_back_nothing(void*) noexcept {}
constinit const ReferenceType sender_reference{ReferenceKind::sender, give_back_nothing};

Cell bytes_message(const std::string& data) {
  BlockBuilder builder;
  builder.count_bytes(data.size());
  EXPECT_EQ(builder.allocate(), Status::ok);
  builder.write_bytes(builder.root(), data.data(), data.size());
  return builder.finish();
}

Cell text_message(TextKind kind, const void* data, std::uint64_t length) {
  BlockBuilder builder;
  builder.count_text(kind, length);
  EXPECT_EQ(builder.allocate(), Status::ok);
  builder.write_text(builder.root(), kind, data, length);
  return builder.finish();
}

// A tuple of `count` references to the message, which is given up.
Cell tuple_of(const Cell& message, unsigned count, Tag tag = Tag::reference) {
  BlockBuilder builder;
  builder.count_tuple(count);
  for (unsigned i = 0; i < count; ++i) builder.count_reference();
  EXPECT_EQ(builder.allocate(), Status::ok);
  Cell* cells = builder.write_tuple(builder.root(), count);
  for (unsigned i = 0; i < count; ++i) {
    retain(message);
    builder.write_reference(cells[i], {&block_reference, message.as_block()}, tag);
  }
  release(message);
  return builder.finish();
}

// A tuple of windows into the message, which is given up, onto these cells.
Cell windows_of(const Cell& message, std::span<const Cell> seen) {
  BlockBuilder builder;
  builder.count_tuple(seen.size());
  for (std::size_t i = 0; i < seen.size(); ++i) builder.count_window();
  EXPECT_EQ(builder.allocate(), Status::ok);
  Cell* cells = builder.write_tuple(builder.root(), seen.size());
  for (std::size_t i = 0; i < seen.size(); ++i) {
    retain(message);
    builder.write_window(cells[i], {&block_reference, message.as_block()}, seen[i]);
  }
  release(message);
  return builder.finish();
}

// The flat body of the message, which is given up; verified.
Body flat_body(const Cell& message) {
  Cell flat;
  UnportableValue stay;
  EXPECT_EQ(flatten(message, flat, stay), Status::ok);
  release(message);
  Body body;
  if (flat.owns_block()) {
    body = take_body(flat);
  } else {
    const auto bytes = dump_body(flat);
    body.assign(bytes.begin(), bytes.end());
  }
  EXPECT_EQ(flaw_of(body), "");
  return body;
}

Cell cell_at(const Body& body, std::size_t at) { return test::field<Cell>(body, at); }

TEST_F(DumpValue, AFlatBlockIsItself) {
  const Cell message = test::rich_message();
  Cell flat;
  UnportableValue stay;
  EXPECT_EQ(flatten(message, flat, stay), Status::ok);
  EXPECT_EQ(flat.as_block(), message.as_block());
  release(flat);
  release(message);
}

TEST_F(DumpValue, ReferencesAndSharedsAreWrittenOut) {
  const Body rich = test::rich_body();
  EXPECT_EQ(flat_body(tuple_of(tuple_of(test::rich_message(), 1), 1)).size(), rich.size() + 2 * sizeof(Cell));
  for (const Tag tag : {Tag::reference, Tag::shared}) {
    const Body body = flat_body(tuple_of(tuple_of(bytes_message(std::string(1000, 'b')), 3, tag), 2, tag));
    // Two tuples of three, and the payload once.
    EXPECT_EQ(body.size(), (1 + 2 + 6) * sizeof(Cell) + align_up(1000, 16));
    EXPECT_TRUE(cell_at(body, 3 * 16).is_repeated());
    for (int i = 4; i < 9; ++i) EXPECT_EQ(cell_at(body, i * 16).tag(), Tag::repeat);
  }
}

TEST_F(DumpValue, ASharedByItself) {
  const Cell message = bytes_message(std::string(100, 's'));
  const Body body = take_body(bytes_message(std::string(100, 's')));
  EXPECT_EQ(flat_body(Cell::of_block(message.as_block(), Tag::shared_block)), body);
}

TEST_F(DumpValue, RepeatsStayRepeats) {
  const Body rich = test::rich_body();
  const Body body = flat_body(tuple_of(test::rich_message(), 1));
  const auto repeats = [](const Body& in, std::size_t cells) {
    std::size_t found = 0;
    for (std::size_t i = 0; i < cells; ++i) found += cell_at(in, i * 16).tag() == Tag::repeat;
    return found;
  };
  EXPECT_EQ(repeats(rich, 23), 1u);
  EXPECT_EQ(repeats(body, 24), 1u);
}

// Parts of payloads and tuples come in their one representation.
TEST_F(DumpValue, WindowsAreWrittenOut) {
  const Cell message = bytes_message("0123456789abcdefghijklmnopqrstuvwxyz");
  const std::uint64_t at = BlockReader(message.as_block()).root().word;
  const Cell parts[] = {Cell::of(Tag::bytes, 20, at), Cell::of(Tag::bytes, 20, at + 3), Cell::of(Tag::bytes, 5, at + 3),
                        Cell::of(Tag::bytes, 0, at),  Cell::of(Tag::bytes, 30, at),     Cell::of(Tag::bytes, 20, at)};
  const Body body = flat_body(windows_of(message, parts));
  const auto text = [&](int i, std::size_t length) {
    return std::string(reinterpret_cast<const char*>(&body[cell_at(body, i * 16).word]), length);
  };
  EXPECT_EQ(text(1, 20), "0123456789abcdefghij");
  EXPECT_EQ(text(2, 20), "3456789abcdefghijklm");
  EXPECT_EQ(cell_at(body, 3 * 16).tag(), Tag::short_bytes);
  EXPECT_EQ(std::string(cell_at(body, 3 * 16).payload(), 5), "34567");
  EXPECT_EQ(cell_at(body, 4 * 16).short_length(), 0u);
  EXPECT_EQ(text(5, 30), "0123456789abcdefghijklmnopqrst");
  EXPECT_EQ(cell_at(body, 6 * 16).tag(), Tag::repeat);
}

TEST_F(DumpValue, TextSeenThroughAWindowIsNarrowed) {
  const std::u32string text = U"0123456789abcdefghij\u00e9\u20ac\U0001f600";
  const Cell message = text_message(TextKind::ucs4, text.data(), text.size());
  const std::uint64_t at = BlockReader(message.as_block()).root().word;
  const Cell parts[] = {Cell::of(Tag::ucs4, 20, at), Cell::of(Tag::ucs4, 21, at), Cell::of(Tag::ucs4, 22, at),
                        Cell::of(Tag::ucs4, 23, at), Cell::of(Tag::ucs4, 2, at),  Cell::of(Tag::ucs4, 1, at + 21 * 4)};
  const Body body = flat_body(windows_of(message, parts));
  const Tag tags[] = {Tag::ascii, Tag::latin1, Tag::ucs2, Tag::ucs4, Tag::short_ascii, Tag::short_ucs2};
  for (int i = 0; i < 6; ++i) EXPECT_EQ(cell_at(body, (i + 1) * 16).tag(), tags[i]) << i;
  EXPECT_EQ(std::memcmp(&body[cell_at(body, 16).word], "0123456789abcdefghij", 21), 0);
}

TEST_F(DumpValue, AWindowOntoPartOfATuple) {
  const Cell message = test::rich_message();
  const std::uint64_t cells = BlockReader(message.as_block()).root().word;
  const Cell parts[] = {Cell::of(Tag::tuple, 2, cells + 3 * 16), Cell::of(Tag::tuple)};
  const Body body = flat_body(windows_of(message, parts));
  EXPECT_EQ(body.size(), 5 * 16u);
  EXPECT_EQ(cell_at(body, 3 * 16).as_integer(), -7);
  EXPECT_EQ(cell_at(body, 4 * 16).tag(), Tag::real);
}

TEST_F(DumpValue, AnEndIsRefusedWithItsPlace) {
  BlockBuilder builder;
  builder.count_tuple(2);
  builder.count_reference();
  ASSERT_EQ(builder.allocate(), Status::ok);
  Cell* cells = builder.write_tuple(builder.root(), 2);
  cells[0] = Cell::none();
  builder.write_reference(cells[1], {&sender_reference, nullptr});
  const Cell message = tuple_of(builder.finish(), 3, Tag::shared);
  Cell flat;
  UnportableValue stay;
  EXPECT_EQ(flatten(message, flat, stay), Status::invalid);
  EXPECT_EQ(stay.tag, Tag::reference);
  EXPECT_EQ(stay.end, ReferenceKind::sender);
  ASSERT_EQ(stay.steps.size(), 2u);
  EXPECT_EQ(stay.steps[0], 1u);
  EXPECT_EQ(stay.steps[1], 0u);
  release(message);
}

TEST_F(DumpValue, AQueueIsRefusedEvenWithoutReferences) {
  BlockBuilder builder;
  builder.count_tuple(1);
  ASSERT_EQ(builder.allocate(), Status::ok);
  builder.write_tuple(builder.root(), 1, Tag::queue)[0] = Cell::none();
  const Cell message = builder.finish();
  Cell flat;
  UnportableValue stay;
  EXPECT_EQ(flatten(message, flat, stay), Status::invalid);
  EXPECT_EQ(stay.tag, Tag::queue);
  EXPECT_TRUE(stay.steps.empty());
  release(message);
}

// 2^60 leaves out of 60 small blocks.
TEST_F(DumpValue, WhatCannotFitIsGivenUpEarly) {
  Cell message = bytes_message(std::string(100, 'x'));
  for (int i = 0; i < 60; ++i) message = tuple_of(message, 2, i % 2 == 0 ? Tag::reference : Tag::shared);
  set_memory_limit(std::uint64_t{1} << 24);
  Cell flat;
  UnportableValue stay;
  EXPECT_EQ(flatten(message, flat, stay), Status::arena_full);
  release(message);
}

TEST_F(DumpValue, OutOfMemory) {
  const Cell message = tuple_of(bytes_message(std::string(100, 'x')), 2);
  Arena::fail_after(0);
  Cell flat;
  UnportableValue stay;
  EXPECT_EQ(flatten(message, flat, stay), Status::no_memory);
  Arena::fail_after(-1);
  release(message);
}

// What a dump consists of, as bytes.
Body dump_of(const Cell& message) {
  Cell flat;
  UnportableValue stay;
  EXPECT_EQ(flatten(message, flat, stay), Status::ok);
  const auto body = dump_body(flat);
  const DumpHeader header = dump_header(body.size());
  const auto first = std::as_bytes(std::span(&header, 1));
  Body dump(first.begin(), first.end());
  dump.insert(dump.end(), body.begin(), body.end());
  release(flat);
  release(message);
  return dump;
}

std::string load_flaw(std::span<const std::byte> data) {
  Cell cell;
  VerifyError flaw;
  const Status status = load(data, cell, flaw);
  if (status == Status::ok) release(cell);
  return status == Status::ok ? "" : status == Status::invalid ? flaw.what : to_string(status).data();
}

TEST_F(DumpValue, LoadingGivesTheSameBody) {
  const Body dump = dump_of(test::rich_message());
  for (std::size_t shift = 0; shift < 8; ++shift) {
    Body moved(shift + dump.size());
    std::memcpy(moved.data() + shift, dump.data(), dump.size());
    Cell cell;
    VerifyError flaw;
    ASSERT_EQ(load(std::span(moved).subspan(shift), cell, flaw), Status::ok);
    EXPECT_EQ(take_body(cell), test::rich_body());
  }
  Cell cell;
  VerifyError flaw;
  ASSERT_EQ(load(dump_of(Cell::integer(-5)), cell, flaw), Status::ok);
  EXPECT_EQ(cell.as_integer(), -5);
}

TEST_F(DumpValue, AHeaderThatIsNone) {
  const Body dump = dump_of(test::rich_message());
  EXPECT_EQ(load_flaw(dump), "");
  EXPECT_EQ(load_flaw({}), "input ends within the header");
  for (std::size_t length = 0; length < dump.size(); ++length) {
    EXPECT_EQ(load_flaw(std::span(dump).first(length)),
              length < 16 ? "input ends within the header" : "input ends within the body");
  }
  Body longer = dump;
  longer.push_back(std::byte{0});
  EXPECT_EQ(load_flaw(longer), "bytes after the end of the body");
  EXPECT_EQ(load_flaw(test::with(dump, 0, 'x')), "not a dump of xichan");
  EXPECT_EQ(load_flaw(test::with(dump, 4, std::uint16_t{2})), "version of the format that this release does not know");
  EXPECT_EQ(load_flaw(test::with(dump, 6, '\1')), "reserved bytes that are not zero");
  for (const std::uint64_t length : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 31, std::uint64_t{1} << 32,
                                     std::uint64_t{INT64_MAX}, UINT64_MAX, UINT64_MAX - 15}) {
    EXPECT_NE(load_flaw(test::with(dump, 8, length)), "") << length;
    EXPECT_EQ(new_blocks(), 0u);
  }
}

TEST_F(DumpValue, LoadingWithoutMemory) {
  const Body dump = dump_of(test::rich_message());
  Arena::fail_after(0);
  EXPECT_EQ(load_flaw(dump), to_string(Status::no_memory));
  Arena::fail_after(-1);
  set_memory_limit(memory_stats().bytes);
  EXPECT_EQ(load_flaw(dump), to_string(Status::arena_full));
}

}  // namespace
}  // namespace xichan::internal
