// Dump and load: references, windows and Shareds are expanded, endpoints are refused with their path, and invalid input
// is refused.
#include "value/dump.h"

#include <vector>

#include "support/support.h"
#include "value/block_reader.h"
#include "value/bodies.h"

namespace xichan::internal {
namespace {

using test::Body;
using test::error_of;
using test::take_body;

class DumpValue : public test::ArenaTest {
 protected:
  void TearDown() override {
    Arena::fail_after(-1);
    set_memory_limit(UINT64_MAX);
    ArenaTest::TearDown();
  }
};

void release_nothing(void*) noexcept {}
constinit const ReferenceType sender_reference{ReferenceKind::sender, release_nothing};

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

// Makes a tuple of `count` references to the message, and releases the message.
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

// Makes a tuple of windows into the message onto these cells, and releases the message.
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

// Returns the verified flat body of the message, and releases the message.
Body flat_body(const Cell& message) {
  Cell flat;
  UnportableValue unportable;
  EXPECT_EQ(flatten(message, flat, unportable), Status::ok);
  release(message);
  Body body;
  if (flat.owns_block()) {
    body = take_body(flat);
  } else {
    const auto bytes = dump_body(flat);
    body.assign(bytes.begin(), bytes.end());
  }
  EXPECT_EQ(error_of(body), "");
  return body;
}

Cell cell_at(const Body& body, std::size_t at) { return test::field<Cell>(body, at); }

TEST_F(DumpValue, FlatBlockIsNotCopied) {
  const Cell message = test::rich_message();
  Cell flat;
  UnportableValue unportable;
  EXPECT_EQ(flatten(message, flat, unportable), Status::ok);
  EXPECT_EQ(flat.as_block(), message.as_block());
  release(flat);
  release(message);
}

TEST_F(DumpValue, ReferencesAndSharedsAreExpanded) {
  const Body rich = test::rich_body();
  EXPECT_EQ(flat_body(tuple_of(tuple_of(test::rich_message(), 1), 1)).size(), rich.size() + 2 * sizeof(Cell));
  for (const Tag tag : {Tag::reference, Tag::shared}) {
    const Body body = flat_body(tuple_of(tuple_of(bytes_message(std::string(1000, 'b')), 3, tag), 2, tag));
    // A tuple of three elements, once, and the payload once.
    EXPECT_EQ(body.size(), (1 + 2 + 3) * sizeof(Cell) + align_up(1000, 16));
    EXPECT_TRUE(cell_at(body, 1 * 16).is_repeated());
    EXPECT_TRUE(cell_at(body, 3 * 16).is_repeated());
    for (const int i : {2, 4, 5}) EXPECT_EQ(cell_at(body, i * 16).tag(), Tag::repeat);
  }
}

TEST_F(DumpValue, SharedRootIsExpanded) {
  const Cell message = bytes_message(std::string(100, 's'));
  const Body body = take_body(bytes_message(std::string(100, 's')));
  EXPECT_EQ(flat_body(Cell::of_block(message.as_block(), Tag::shared_block)), body);
}

TEST_F(DumpValue, RepeatsArePreserved) {
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

// Slices of payloads and tuples are written in their canonical representation.
TEST_F(DumpValue, WindowsAreExpanded) {
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

TEST_F(DumpValue, TextInWindowIsNarrowed) {
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

TEST_F(DumpValue, WindowOntoTupleSliceIsExpanded) {
  const Cell message = test::rich_message();
  const std::uint64_t cells = BlockReader(message.as_block()).root().word;
  const Cell parts[] = {Cell::of(Tag::tuple, 2, cells + 3 * 16), Cell::of(Tag::tuple)};
  const Body body = flat_body(windows_of(message, parts));
  EXPECT_EQ(body.size(), 5 * 16u);
  EXPECT_EQ(cell_at(body, 3 * 16).as_integer(), -7);
  EXPECT_EQ(cell_at(body, 4 * 16).tag(), Tag::real);
}

TEST_F(DumpValue, EndpointIsRefusedWithPath) {
  BlockBuilder builder;
  builder.count_tuple(2);
  builder.count_reference();
  ASSERT_EQ(builder.allocate(), Status::ok);
  Cell* cells = builder.write_tuple(builder.root(), 2);
  cells[0] = Cell::none();
  builder.write_reference(cells[1], {&sender_reference, nullptr});
  const Cell message = tuple_of(builder.finish(), 3, Tag::shared);
  Cell flat;
  UnportableValue unportable;
  EXPECT_EQ(flatten(message, flat, unportable), Status::invalid);
  EXPECT_EQ(unportable.tag, Tag::reference);
  EXPECT_EQ(unportable.end, ReferenceKind::sender);
  ASSERT_EQ(unportable.steps.size(), 2u);
  EXPECT_EQ(unportable.steps[0], 1u);
  EXPECT_EQ(unportable.steps[1], 0u);
  release(message);
}

TEST_F(DumpValue, QueueWithoutReferencesIsRefused) {
  BlockBuilder builder;
  builder.count_tuple(1);
  ASSERT_EQ(builder.allocate(), Status::ok);
  builder.write_tuple(builder.root(), 1, Tag::queue)[0] = Cell::none();
  const Cell message = builder.finish();
  Cell flat;
  UnportableValue unportable;
  EXPECT_EQ(flatten(message, flat, unportable), Status::invalid);
  EXPECT_EQ(unportable.tag, Tag::queue);
  EXPECT_TRUE(unportable.steps.empty());
  release(message);
}

// 60 small blocks with 2^60 paths to their leaf.
TEST_F(DumpValue, SharedTuplesAreWrittenOnce) {
  Cell message = bytes_message(std::string(100, 'x'));
  for (int i = 0; i < 60; ++i) message = tuple_of(message, 2, i % 2 == 0 ? Tag::reference : Tag::shared);
  const Body body = flat_body(message);
  EXPECT_EQ(body.size(), (1 + 60 * 2) * sizeof(Cell) + align_up(100, 16));
}

TEST_F(DumpValue, FlattenReportsOutOfMemory) {
  const Cell message = tuple_of(bytes_message(std::string(100, 'x')), 2);
  Arena::fail_after(0);
  Cell flat;
  UnportableValue unportable;
  EXPECT_EQ(flatten(message, flat, unportable), Status::no_memory);
  Arena::fail_after(-1);
  release(message);
}

// Returns the bytes of a dump, and releases the message.
Body dump_of(const Cell& message) {
  Cell flat;
  UnportableValue unportable;
  EXPECT_EQ(flatten(message, flat, unportable), Status::ok);
  const auto body = dump_body(flat);
  const DumpHeader header = dump_header(body.size());
  const auto first = std::as_bytes(std::span(&header, 1));
  Body dump(first.begin(), first.end());
  dump.insert(dump.end(), body.begin(), body.end());
  release(flat);
  release(message);
  return dump;
}

std::string load_error(std::span<const std::byte> data) {
  Cell cell;
  VerifyError error;
  const Status status = load(data, cell, error);
  if (status == Status::ok) release(cell);
  return status == Status::ok ? "" : status == Status::invalid ? error.what : to_string(status).data();
}

TEST_F(DumpValue, LoadRestoresBody) {
  const Body dump = dump_of(test::rich_message());
  for (std::size_t shift = 0; shift < 8; ++shift) {
    Body moved(shift + dump.size());
    std::memcpy(moved.data() + shift, dump.data(), dump.size());
    Cell cell;
    VerifyError error;
    ASSERT_EQ(load(std::span(moved).subspan(shift), cell, error), Status::ok);
    EXPECT_EQ(take_body(cell), test::rich_body());
  }
  Cell cell;
  VerifyError error;
  ASSERT_EQ(load(dump_of(Cell::integer(-5)), cell, error), Status::ok);
  EXPECT_EQ(cell.as_integer(), -5);
}

TEST_F(DumpValue, InvalidHeadersAreRefused) {
  const Body dump = dump_of(test::rich_message());
  EXPECT_EQ(load_error(dump), "");
  EXPECT_EQ(load_error({}), "input ends within the header");
  for (std::size_t length = 0; length < dump.size(); ++length) {
    EXPECT_EQ(load_error(std::span(dump).first(length)),
              length < 16 ? "input ends within the header" : "input ends within the body");
  }
  Body longer = dump;
  longer.push_back(std::byte{0});
  EXPECT_EQ(load_error(longer), "bytes after the end of the body");
  EXPECT_EQ(load_error(test::with(dump, 0, 'x')), "not a dump of xichan");
  EXPECT_EQ(load_error(test::with(dump, 4, std::uint16_t{2})), "unsupported format version");
  EXPECT_EQ(load_error(test::with(dump, 6, '\1')), "reserved bytes are not zero");
  for (const std::uint64_t length : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 31, std::uint64_t{1} << 32,
                                     std::uint64_t{INT64_MAX}, UINT64_MAX, UINT64_MAX - 15}) {
    EXPECT_NE(load_error(test::with(dump, 8, length)), "") << length;
    EXPECT_EQ(new_blocks(), 0u);
  }
}

TEST_F(DumpValue, LoadReportsOutOfMemory) {
  const Body dump = dump_of(test::rich_message());
  Arena::fail_after(0);
  EXPECT_EQ(load_error(dump), to_string(Status::no_memory));
  Arena::fail_after(-1);
  set_memory_limit(memory_stats().bytes);
  EXPECT_EQ(load_error(dump), to_string(Status::arena_full));
}

TEST_F(DumpValue, WindowsOntoOneTextAreScannedOnce) {
  const std::u16string wide(500'000, u'\u20ac');
  const Cell message = text_message(TextKind::ucs2, wide.data(), wide.size());
  const std::vector<Cell> seen(2'000, BlockReader(message.as_block()).root());
  Cell flat;
  UnportableValue unportable;
  const Cell windows = windows_of(message, seen);
  ASSERT_EQ(flatten(windows, flat, unportable), Status::ok);
  EXPECT_LT(flat.as_block()->body_bytes(), wide.size() * 2 + 3'000 * sizeof(Cell));
  release(windows);
  release(flat);
}

}  // namespace
}  // namespace xichan::internal
