// Bodies of blocks for tests: a body with every tag, and edits of single fields.
#pragma once

#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "value/block_builder.h"
#include "value/message.h"
#include "value/verify.h"

namespace xichan::test {

using namespace internal;

using Body = std::vector<std::byte>;

/// Copies the message's body and releases the message.
inline Body take_body(const Cell& message) {
  const std::byte* begin = message.as_block()->body();
  Body body(begin, begin + message.as_block()->body_bytes());
  release(message);
  return body;
}

/// Makes a message with every tag that a body without references may have: payloads of every width, nested tuples, and
/// a repeat.
inline Cell rich_message() {
  const std::string ascii(40, 'a');
  const std::string latin1 = "caf\xe9 \xff" + std::string(1, '\0') + "0123456789";
  const std::u16string ucs2 = char16_t{0xd800} + std::u16string(u" lone, \u20ac and more");
  const std::u32string ucs4 = U"\U0001f600 smile \U0010ffff";
  const std::string bytes("\0\x01\xfe\xff 0123456789abcdef", 20);
  const std::uint64_t limbs[] = {1, UINT64_MAX, 1};
  const std::uint64_t lowest[] = {0, std::uint64_t{1} << 63};
  const char16_t wide[] = u"\u20acuro";

  BlockBuilder builder;
  builder.count_tuple(17);
  builder.count_text(TextKind::ascii, ascii.size());
  builder.count_text(TextKind::latin1, latin1.size());
  builder.count_text(TextKind::ucs2, ucs2.size());
  builder.count_text(TextKind::ucs4, ucs4.size());
  builder.count_bytes(bytes.size());
  builder.count_bytes(sizeof limbs);
  builder.count_tuple(3);
  builder.count_tuple(1);
  builder.count_tuple(1);
  builder.count_bytes(sizeof lowest);
  if (builder.allocate() != Status::ok) return Cell::none();
  Cell* cells = builder.write_tuple(builder.root(), 17);
  cells[0] = Cell::none();
  cells[1] = Cell::boolean(true);
  cells[2] = Cell::boolean(false);
  cells[3] = Cell::integer(-7);
  cells[4] = Cell::real(-0.0);
  cells[5] = Cell::of_short(Tag::short_ascii, "short", 5);
  cells[6] = Cell::of_short(Tag::short_latin1, "caf\xe9", 4);
  cells[7] = Cell::of_short(Tag::short_ucs2, wide, 4, 2);
  cells[8] = Cell::of_short(Tag::short_ucs4, U"\U0001f600", 1, 4);
  cells[9] = Cell::of_short(Tag::short_bytes, "\0\xff", 2);
  builder.write_text(cells[10], TextKind::ascii, ascii.data(), ascii.size());
  builder.write_text(cells[11], TextKind::latin1, latin1.data(), latin1.size());
  builder.write_text(cells[12], TextKind::ucs2, ucs2.data(), ucs2.size());
  builder.write_text(cells[13], TextKind::ucs4, ucs4.data(), ucs4.size());
  builder.write_bytes(cells[14], bytes.data(), bytes.size());
  std::memcpy(builder.write_big_int(cells[15], sizeof limbs), limbs, sizeof limbs);
  Cell* three = builder.write_tuple(cells[16], 3);
  Cell* one = builder.write_tuple(three[0], 1);
  builder.write_tuple(three[1], 0);
  builder.write_repeat(three[2], cells[10]);
  Cell* deepest = builder.write_tuple(one[0], 1);
  std::memcpy(builder.write_big_int(deepest[0], sizeof lowest), lowest, sizeof lowest);
  return builder.finish();
}

inline Body rich_body() { return take_body(rich_message()); }

template <class T>
T field(const Body& body, std::size_t at) {
  T value;
  std::memcpy(&value, body.data() + at, sizeof value);
  return value;
}

template <class T>
Body with(Body body, std::size_t at, T value) {
  std::memcpy(body.data() + at, &value, sizeof value);
  return body;
}

/// Returns the error of an invalid body, or "".
inline std::string error_of(std::span<const std::byte> body) {
  VerifyError error;
  BodySizes sizes;
  if (verify(body, error, sizes) == Status::ok) return "";
  return error.what == nullptr ? "?" : error.what;
}

}  // namespace xichan::test
