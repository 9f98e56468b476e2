// Integers of any size: up to 64 bits in the cell, larger ones in a block, in the fewest 64-bit words (C3).
#include <bit>

#include "value/block_builder.h"
#include "value/value_access.h"

namespace xichan {

using namespace internal;
namespace {

constexpr std::size_t word_size = sizeof(std::uint64_t);

// Returns the number of significant bytes: the bytes above them only repeat the sign.
std::size_t significant(std::span<const std::byte> data) noexcept {
  std::size_t size = data.size();
  const auto is_negative = [&](std::size_t i) noexcept { return (data[i] & std::byte{0x80}) != std::byte{0}; };
  while (size > 1) {
    const std::byte fill = is_negative(size - 2) ? std::byte{0xff} : std::byte{0};
    if (data[size - 1] != fill) break;
    --size;
  }
  return size;
}

// Copies the bytes and extends their sign to `room` bytes.
void extend(void* to, std::size_t room, std::span<const std::byte> data) noexcept {
  const bool negative = !data.empty() && (data.back() & std::byte{0x80}) != std::byte{0};
  std::memset(to, negative ? 0xff : 0, room);
  if (!data.empty()) std::memcpy(to, data.data(), data.size());
}

}  // namespace

Status Value::integer(std::span<const std::byte> data, Value& out) noexcept {
  data = data.first(significant(data));
  if (data.size() <= word_size) {
    std::int64_t value;
    extend(&value, sizeof value, data);
    out = of(value);
    return Status::ok;
  }
  BlockBuilder builder;
  CheckedSize room(data.size());
  room.align(word_size);
  if (room.overflowed()) return Status::too_large;
  builder.count_bytes(room.value());
  const Status status = builder.allocate();
  if (status != Status::ok) return status;
  extend(builder.write_big_int(builder.root(), room.value()), room.value(), data);
  ValueAccess::adopt(out, builder.finish());
  return Status::ok;
}

Status Value::unsigned_integer(std::uint64_t value, Value& out) noexcept {
  const std::uint64_t words[2] = {value, 0};
  return integer(std::as_bytes(std::span(words)), out);
}

std::uint64_t ValueView::as_unsigned() const noexcept {
  if (kind() == ValueKind::integer) return as_integer() < 0 ? 0 : static_cast<std::uint64_t>(as_integer());
  const auto data = as_bytes();
  if (kind() != ValueKind::big_integer || data.size() != 2 * word_size) return 0;
  std::uint64_t words[2];
  std::memcpy(words, data.data(), sizeof words);
  return words[1] == 0 ? words[0] : 0;
}

}  // namespace xichan
