// Makes containers, arrays and records that share the content of their items.
#include "xichan/containers.h"

#include <algorithm>

#include "base/content_map.h"
#include "base/worklist.h"
#include "value/block_builder.h"
#include "value/message.h"
#include "value/utf8.h"
#include "value/value_access.h"
#include "value/verify.h"
#include "value/verify_containers.h"

namespace xichan {

using namespace internal;
namespace {

static_assert(static_cast<unsigned>(ArrayType::scalar) == static_cast<unsigned>(ArrayKind::scalar));

// Writes an item in place, or as a reference to its block.
void write_item(BlockBuilder& builder, Cell& cell, const Value& item) noexcept {
  const Cell& source = ValueAccess::cell(item);
  if (!source.owns_block()) {
    cell = source;
    return;
  }
  retain(source);
  builder.write_reference(cell, {&block_reference, source.as_block()},
                          source.tag() == Tag::block ? Tag::reference : Tag::shared);
}

// Makes a container of `count` cells, the values of `item(i)`.
template <class Item>
Status make_container(Tag tag, std::size_t count, Item item, Value& out) noexcept {
  BlockBuilder builder;
  const bool hashed = Cell::of(tag).is_hashed();
  const unsigned entry_cells = hashed ? Cell::of(tag).entry_cells() : 1;
  if (hashed) {
    builder.count_hashed(count / entry_cells, entry_cells);
  } else {
    builder.count_tuple(count);
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (ValueAccess::cell(item(i)).owns_block()) builder.count_reference();
  }
  const Status status = builder.allocate();
  if (status != Status::ok) return status;
  Cell* const cells = hashed ? builder.write_hashed(builder.root(), count / entry_cells, tag)
                             : builder.write_tuple(builder.root(), count, tag);
  for (std::size_t i = 0; i < count; ++i) write_item(builder, cells[i], item(i));
  if (hashed) builder.write_index(builder.root());
  ValueAccess::adopt(out, builder.finish());
  return Status::ok;
}

Status make_sequence(Tag tag, std::span<const Value> items, Value& out) noexcept {
  return make_container(tag, items.size(), [&](std::size_t i) noexcept -> const Value& { return items[i]; }, out);
}

// Descends into the containers whose hash is that of their elements, each once.
Status check_hashable(const Value& key) noexcept {
  ContentMap<bool> seen;
  Worklist<CellRef> open;
  const auto check = [&](const CellRef& ref) noexcept {
    const Cell& cell = *ref.cell;
    switch (cell.tag()) {
      case Tag::list:
      case Tag::dict:
      case Tag::set:
      case Tag::bytearray: return Status::invalid;
      case Tag::array: {
        const ArrayType type = ArrayView(ValueAccess::view(ref)).type();
        return type == ArrayType::memoryview || type == ArrayType::scalar ? Status::ok : Status::invalid;
      }
      case Tag::tuple:
      case Tag::frozendict:
      case Tag::slice: break;
      default: return Status::ok;
    }
    if (cell.length() == 0) return Status::ok;
    bool* const known = seen.insert(content_of(ref.reader, cell));
    if (known == nullptr) return Status::no_memory;
    return std::exchange(*known, true) || open.push(ref) ? Status::ok : Status::no_memory;
  };
  Status status = check({ValueAccess::reader(key.view()), &ValueAccess::cell(key.view())});
  while (status == Status::ok && !open.empty()) {
    const CellRef ref = open.pop();
    for (const Cell& element : ref.reader.elements(*ref.cell)) {
      status = check(resolve_through(ref.reader, element));
      if (status != Status::ok) break;
    }
  }
  return status;
}

// Makes a dict or set of `count` cells.
template <class Item>
Status make_hashed(Tag tag, std::size_t count, Item item, Value& out) noexcept {
  const unsigned entry_cells = Cell::of(tag).entry_cells();
  for (std::size_t i = 0; i < count; i += entry_cells) {
    const Status status = check_hashable(item(i));
    if (status != Status::ok) return status;
  }
  Value made;
  const Status status = make_container(tag, count, item, made);
  if (status != Status::ok) return status;
  const BlockReader reader(ValueAccess::cell(made).as_block());
  if (has_equal_keys(reader, reader.root())) return Status::invalid;
  out = std::move(made);
  return Status::ok;
}

Status make_dict(Tag tag, std::span<const ValueEntry> entries, Value& out) noexcept {
  const auto item = [&](std::size_t i) noexcept -> const Value& {
    return i % 2 == 0 ? entries[i / 2].key : entries[i / 2].value;
  };
  return make_hashed(tag, entries.size() * 2, item, out);
}

Status make_set(Tag tag, std::span<const Value> items, Value& out) noexcept {
  return make_hashed(tag, items.size(), [&](std::size_t i) noexcept -> const Value& { return items[i]; }, out);
}

void count_text(BlockBuilder& builder, const Utf8Scan& scan) noexcept {
  if (!fits_short(scan.length, text_width(scan.kind))) builder.count_text(scan.kind, scan.length);
}

void write_text(BlockBuilder& builder, Cell& cell, std::string_view utf8) noexcept {
  const Utf8Scan scan = scan_utf8(utf8);
  const unsigned width = text_width(scan.kind);
  if (!fits_short(scan.length, width)) {
    decode_utf8(utf8, scan.kind, builder.write_text(cell, scan.kind, nullptr, scan.length));
    return;
  }
  char payload[short_payload];
  decode_utf8(utf8, scan.kind, payload);
  cell = Cell::of_short(short_text_tag(scan.kind), payload, scan.length, width);
}

void count_content(BlockBuilder& builder, std::size_t size) noexcept {
  if (!fits_short(size, 1)) builder.count_bytes(size);
}

void write_content(BlockBuilder& builder, Cell& cell, std::span<const std::byte> data) noexcept {
  if (fits_short(data.size(), 1)) {
    cell = Cell::of_short(Tag::short_bytes, data.data(), data.size());
  } else {
    builder.write_bytes(cell, data.data(), data.size());
  }
}

bool is_text(const ValueView& view) noexcept { return view.kind() == ValueKind::text; }

// Returns true if `type` is the type of a record with these fields.
bool is_record_type(const ValueView& type, std::span<const Value> fields) noexcept {
  if (type.kind() == ValueKind::integer) {
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (!is_standard_field(type.as_integer(), i, ValueAccess::cell(fields[i].view()))) return false;
    }
    return standard_fields(type.as_integer()) == fields.size();
  }
  if (type.kind() != ValueKind::tuple || type.size() != 4 || type[3].kind() != ValueKind::tuple) return false;
  if (type[3].size() != fields.size() || !std::ranges::all_of(type[3], is_text)) return false;
  return is_text(type[0]) && is_text(type[1]) && is_text(type[2]);
}

}  // namespace

Status Value::tuple(std::span<const Value> items, Value& out) noexcept {
  if (!items.empty()) return make_sequence(Tag::tuple, items, out);
  ValueAccess::adopt(out, Cell::of(Tag::tuple));
  return Status::ok;
}

Status Value::list(std::span<const Value> items, Value& out) noexcept { return make_sequence(Tag::list, items, out); }

Status Value::dict(std::span<const ValueEntry> entries, Value& out) noexcept {
  return make_dict(Tag::dict, entries, out);
}
Status Value::frozen_dict(std::span<const ValueEntry> entries, Value& out) noexcept {
  return make_dict(Tag::frozendict, entries, out);
}
Status Value::set(std::span<const Value> items, Value& out) noexcept { return make_set(Tag::set, items, out); }
Status Value::frozen_set(std::span<const Value> items, Value& out) noexcept {
  return make_set(Tag::frozenset, items, out);
}

Value Value::ellipsis() noexcept {
  Value value;
  ValueAccess::cell(value) = Cell::of(Tag::ellipsis);
  return value;
}

Status Value::byte_array(std::span<const std::byte> data, Value& out) noexcept {
  BlockBuilder builder;
  builder.count_tuple(1);
  count_content(builder, data.size());
  const Status status = builder.allocate();
  if (status != Status::ok) return status;
  write_content(builder, builder.write_tuple(builder.root(), 1, Tag::bytearray)[0], data);
  ValueAccess::adopt(out, builder.finish());
  return Status::ok;
}

Status Value::complex(std::complex<double> value, Value& out) noexcept {
  const Value parts[] = {of(value.real()), of(value.imag())};
  return make_sequence(Tag::complex, parts, out);
}

Status Value::range(std::int64_t start, std::int64_t stop, std::int64_t step, Value& out) noexcept {
  const Value parts[] = {of(start), of(stop), of(step)};
  return step == 0 ? Status::invalid : make_sequence(Tag::range, parts, out);
}

Status Value::slice(const Value& start, const Value& stop, const Value& step, Value& out) noexcept {
  const Value* const parts[] = {&start, &stop, &step};
  return make_container(Tag::slice, 3, [&](std::size_t i) noexcept -> const Value& { return *parts[i]; }, out);
}

Status Value::array(ArrayType type, std::string_view format, std::span<const std::size_t> shape,
                    std::span<const std::byte> content, Value& out) noexcept {
  const Utf8Scan scan = scan_utf8(format);
  if (!scan.valid) return Status::invalid;
  BlockBuilder builder;
  builder.count_tuple(4);
  builder.count_tuple(shape.size());
  count_text(builder, scan);
  count_content(builder, content.size());
  Status status = builder.allocate();
  if (status != Status::ok) return status;
  Cell* const cells = builder.write_tuple(builder.root(), 4, Tag::array);
  cells[0] = Cell::integer(static_cast<std::int64_t>(type));
  write_text(builder, cells[1], format);
  Cell* lengths = builder.write_tuple(cells[2], shape.size());
  for (const std::size_t length : shape) *lengths++ = Cell::integer(static_cast<std::int64_t>(length));
  write_content(builder, cells[3], content);
  Value made;
  ValueAccess::adopt(made, builder.finish());
  const Block* const block = ValueAccess::cell(made).as_block();
  VerifyError error;
  BodySizes sizes;
  status = verify({block->body(), block->body_bytes()}, error, sizes);
  if (status == Status::ok) out = std::move(made);
  return status;
}

Status Value::record_type(std::string_view module, std::string_view name, std::span<const std::string_view> fields,
                          Value& out, std::string_view form) noexcept {
  const std::string_view* const parts[] = {&module, &name, &form};
  BlockBuilder builder;
  builder.count_tuple(4);
  builder.count_tuple(fields.size());
  bool valid = true;
  const auto count = [&](std::string_view text) noexcept {
    const Utf8Scan scan = scan_utf8(text);
    valid &= scan.valid;
    if (scan.valid) count_text(builder, scan);
  };
  for (const std::string_view* part : parts) count(*part);
  for (const std::string_view& field : fields) count(field);
  if (!valid) return Status::invalid;
  const Status status = builder.allocate();
  if (status != Status::ok) return status;
  Cell* cells = builder.write_tuple(builder.root(), 4);
  for (const std::string_view* part : parts) write_text(builder, *cells++, *part);
  cells = builder.write_tuple(*cells, fields.size());
  for (const std::string_view& field : fields) write_text(builder, *cells++, field);
  ValueAccess::adopt(out, builder.finish());
  return Status::ok;
}

Status Value::record(const Value& type, std::span<const Value> fields, Value& out) noexcept {
  if (!is_record_type(type.view(), fields)) return Status::invalid;
  const auto item = [&](std::size_t i) noexcept -> const Value& { return i == 0 ? type : fields[i - 1]; };
  return make_container(Tag::record, fields.size() + 1, item, out);
}

}  // namespace xichan
