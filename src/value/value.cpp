// The public value: a cell that owns its block.
#include "xichan/value.h"

#include <utility>

#include "value/block_builder.h"
#include "value/block_reader.h"
#include "value/dump.h"
#include "value/message.h"
#include "value/utf8.h"
#include "value/value_access.h"

namespace xichan {

using namespace internal;
namespace {

const Cell& as_cell(const void* words) noexcept { return *static_cast<const Cell*>(words); }
void store(std::uint64_t* words, const Cell& cell) noexcept { std::memcpy(words, &cell, sizeof cell); }

TextParts parts_of(const void* block, const Cell& cell) noexcept {
  return text_parts(BlockReader(static_cast<const Block*>(block)), cell);
}

}  // namespace

Value::Value() noexcept { store(cell_, Cell::none()); }

Value::Value(Value&& other) noexcept : Value() { std::swap(cell_, other.cell_); }

Value& Value::operator=(Value&& other) noexcept {
  Value moved(std::move(other));  // releases the previous value
  std::swap(cell_, moved.cell_);
  return *this;
}

Value::~Value() { release(as_cell(cell_)); }

Value Value::from_bool(bool value) noexcept {
  Value out;
  store(out.cell_, Cell::boolean(value));
  return out;
}

Value Value::from_integer(std::int64_t value) noexcept {
  Value out;
  store(out.cell_, Cell::integer(value));
  return out;
}

Value Value::from_real(double value) noexcept {
  Value out;
  store(out.cell_, Cell::real(value));
  return out;
}

Status Value::text(std::string_view utf8, Value& out) noexcept {
  const Utf8Scan scan = scan_utf8(utf8);
  if (!scan.valid) return Status::invalid;
  const unsigned width = text_width(scan.kind);
  if (fits_short(scan.length, width)) {
    char payload[short_payload];
    decode_utf8(utf8, scan.kind, payload);
    ValueAccess::adopt(out, Cell::of_short(short_text_tag(scan.kind), payload, scan.length, width));
    return Status::ok;
  }
  BlockBuilder builder;
  builder.count_text(scan.kind, scan.length);
  const Status status = builder.allocate();
  if (status != Status::ok) return status;
  decode_utf8(utf8, scan.kind, builder.write_text(builder.root(), scan.kind, nullptr, scan.length));
  ValueAccess::adopt(out, builder.finish());
  return Status::ok;
}

Status Value::bytes(std::span<const std::byte> data, Value& out) noexcept {
  if (fits_short(data.size(), 1)) {
    ValueAccess::adopt(out, Cell::of_short(Tag::short_bytes, data.data(), data.size()));
    return Status::ok;
  }
  BlockBuilder builder;
  builder.count_bytes(data.size());
  const Status status = builder.allocate();
  if (status != Status::ok) return status;
  builder.write_large_bytes(builder.root(), data.data(), data.size());
  ValueAccess::adopt(out, builder.finish());
  return Status::ok;
}

Value Value::clone() const noexcept {
  Value copy;
  store(copy.cell_, as_cell(cell_));
  retain(as_cell(cell_));
  return copy;
}

ValueView Value::view() const& noexcept {
  const Cell& cell = as_cell(cell_);
  if (!cell.owns_block()) return ValueAccess::view({}, cell);
  const BlockReader reader(cell.as_block());
  return ValueAccess::view(reader, reader.root());
}

Status Value::dump(Dump& out) const noexcept {
  Cell flat;
  UnportableValue unportable;
  const Status status = flatten(as_cell(cell_), flat, unportable);
  if (status != Status::ok) return status;
  Value value;
  ValueAccess::adopt(value, flat);
  out = Dump(std::move(value));
  return Status::ok;
}

Status Value::load(std::span<const std::byte> data, Value& out) noexcept {
  Cell cell;
  VerifyError error;
  const Status status = xichan::load(data, cell, error);
  if (status != Status::ok) return status;
  ValueAccess::adopt(out, cell);
  return Status::ok;
}

Dump::Dump() noexcept : Dump(Value()) {}

Dump::Dump(Value flat) noexcept : flat_(std::move(flat)) {
  const DumpHeader header = dump_header(body().size());
  static_assert(sizeof header_ == sizeof header);
  std::memcpy(header_, &header, sizeof header);
}

std::span<const std::byte> Dump::body() const noexcept { return dump_body(as_cell(flat_.cell_)); }

void Dump::write(std::byte* out) const noexcept {
  std::memcpy(out, header_, sizeof header_);
  std::memcpy(out + sizeof header_, body().data(), body().size());
}

constinit const std::uint64_t ValueView::none_[2] = {static_cast<std::uint64_t>(Tag::none), 0};

ValueKind ValueView::kind() const noexcept {
  const Cell& cell = as_cell(cell_);
  switch (cell.tag()) {
    case Tag::false_:
    case Tag::true_: return ValueKind::boolean;
    case Tag::integer: return ValueKind::integer;
    case Tag::big_int: return ValueKind::big_integer;
    case Tag::real: return ValueKind::real;
    case Tag::short_bytes:
    case Tag::bytes: return ValueKind::bytes;
    case Tag::tuple: return ValueKind::tuple;
    case Tag::queue: return ValueKind::queue;
    case Tag::ellipsis: return ValueKind::ellipsis;
    case Tag::list: return ValueKind::list;
    case Tag::dict: return ValueKind::dict;
    case Tag::frozendict: return ValueKind::frozen_dict;
    case Tag::set: return ValueKind::set;
    case Tag::frozenset: return ValueKind::frozen_set;
    case Tag::range: return ValueKind::range;
    case Tag::slice: return ValueKind::slice;
    case Tag::complex: return ValueKind::complex;
    case Tag::bytearray: return ValueKind::byte_array;
    case Tag::array: return ValueKind::array;
    case Tag::record: return ValueKind::record;
    case Tag::reference: {
      const Reference& reference = BlockReader(static_cast<const Block*>(block_)).reference(cell);
      switch (reference.type->kind) {
        case ReferenceKind::buffer: return ValueKind::buffer;
        case ReferenceKind::descriptor: return ValueKind::descriptor;
        case ReferenceKind::state: return ValueKind::state;
        case ReferenceKind::sender: return ValueKind::sender;
        default: return ValueKind::receiver;
      }
    }
    default: return is_short_text(cell.tag()) || is_long_text(cell.tag()) ? ValueKind::text : ValueKind::none;
  }
}

bool ValueView::as_bool() const noexcept { return as_cell(cell_).tag() == Tag::true_; }

std::int64_t ValueView::as_integer() const noexcept {
  return as_cell(cell_).tag() == Tag::integer ? as_cell(cell_).as_integer() : 0;
}

double ValueView::as_real() const noexcept { return as_cell(cell_).tag() == Tag::real ? as_cell(cell_).as_real() : 0; }

std::span<const std::byte> ValueView::as_bytes() const noexcept {
  const Cell& cell = as_cell(cell_);
  if (cell.tag() == Tag::short_bytes) {
    return {reinterpret_cast<const std::byte*>(cell.payload()), cell.short_length()};
  }
  const BlockReader reader(static_cast<const Block*>(block_));
  if (cell.tag() == Tag::bytearray) return ValueAccess::view(reader, reader.elements(cell)[0]).as_bytes();
  if (cell.tag() != Tag::bytes && cell.tag() != Tag::big_int) return {};
  return {static_cast<const std::byte*>(reader.payload(cell)), cell.length()};
}

std::size_t ValueView::size() const noexcept {
  const Cell& cell = as_cell(cell_);
  if (is_short_text(cell.tag()) || cell.tag() == Tag::short_bytes) return cell.short_length();
  if (is_long_text(cell.tag()) || cell.tag() == Tag::bytes) return cell.length();
  if (cell.tag() == Tag::bytearray) return as_bytes().size();
  return cell.is_hashed() ? cell.entries() : elements();
}

std::size_t ValueView::elements() const noexcept {
  const Cell& cell = as_cell(cell_);
  switch (cell.tag()) {
    case Tag::tuple:
    case Tag::list:
    case Tag::queue:
    case Tag::range:
    case Tag::slice: return cell.length();
    case Tag::set:
    case Tag::frozenset: return cell.entries();
    case Tag::record: return cell.length() - 1;
    default: return 0;
  }
}

ValueView ValueView::operator[](std::size_t i) const noexcept {
  const Cell& cell = as_cell(cell_);
  if (i >= elements()) return {};
  const BlockReader reader(static_cast<const Block*>(block_));
  return ValueAccess::view(reader, reader.elements(cell)[i + (cell.tag() == Tag::record)]);
}

std::complex<double> ValueView::as_complex() const noexcept {
  const Cell& cell = as_cell(cell_);
  if (cell.tag() != Tag::complex) return 0;
  const auto parts = BlockReader(static_cast<const Block*>(block_)).elements(cell);
  return {parts[0].as_real(), parts[1].as_real()};
}

std::string_view ValueView::as_ascii() const noexcept {
  const TextParts text = parts_of(block_, as_cell(cell_));
  if (text.kind != TextKind::ascii) return {};
  return {static_cast<const char*>(text.data), static_cast<std::size_t>(text.length)};
}

std::size_t ValueView::utf8_size() const noexcept {
  const TextParts text = parts_of(block_, as_cell(cell_));
  return xichan::utf8_size(text.kind, text.data, text.length);
}

void ValueView::write_utf8(char* out) const noexcept {
  const TextParts text = parts_of(block_, as_cell(cell_));
  encode_utf8(text.kind, text.data, text.length, out);
}

}  // namespace xichan
