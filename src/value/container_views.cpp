// Reads dicts, sets, records and arrays.
#include "xichan/containers.h"

#include "value/index.h"
#include "value/value_access.h"

namespace xichan {

using namespace internal;
namespace {

// Returns true and sets `entry` if a dict or set has a key.
bool find_key(const ValueView& view, const ValueView& key, std::uint64_t& entry) {
  const Cell& cell = ValueAccess::cell(view);
  if (!cell.is_hashed()) return false;
  const BlockReader reader = ValueAccess::reader(view);
  const Lookup lookup = find_entry(reader, cell, ValueAccess::reader(key), ValueAccess::cell(key), entry);
  if (lookup != Lookup::unknown) return lookup == Lookup::found;
  const auto cells = reader.elements(cell);
  for (entry = 0; entry < cell.entries(); ++entry) {
    const Cell& candidate = cells[entry * cell.entry_cells()];
    if (equal_keys(reader, candidate, ValueAccess::reader(key), ValueAccess::cell(key))) return true;
    if (ValueAccess::view(reader, candidate) == key) return true;
  }
  return false;
}

// Returns true if text in UTF-8 is a key, or the name of a field.
template <class Find>
bool with_text(std::string_view utf8, Find find) {
  Value key;
  const Status status = Value::text(utf8, key);
  if (status == Status::invalid) return false;
  if (status != Status::ok) throw_bad_alloc();
  return find(key.view());
}

}  // namespace

std::size_t DictView::size() const noexcept {
  const Cell& cell = ValueAccess::cell(view);
  return cell.is_hashed() && cell.entry_cells() == 2 ? cell.entries() : 0;
}

DictView::Entry DictView::entry(std::size_t i) const noexcept {
  if (i >= size()) return {};
  const BlockReader reader = ValueAccess::reader(view);
  const auto cells = reader.elements(ValueAccess::cell(view));
  return {ValueAccess::view(reader, cells[2 * i]), ValueAccess::view(reader, cells[2 * i + 1])};
}

std::optional<ValueView> DictView::find(ValueView key) const {
  std::uint64_t i;
  if (empty() || !find_key(view, key, i)) return std::nullopt;
  return entry(i).value;
}

std::optional<ValueView> DictView::find(std::string_view key) const {
  std::optional<ValueView> found;
  with_text(key, [&](const ValueView& text) { return (found = find(text)).has_value(); });
  return found;
}

std::size_t SetView::size() const noexcept {
  const ValueKind kind = view.kind();
  return kind == ValueKind::set || kind == ValueKind::frozen_set ? view.size() : 0;
}

bool SetView::contains(ValueView key) const {
  std::uint64_t i;
  return !empty() && find_key(view, key, i);
}

bool SetView::contains(std::string_view key) const {
  return with_text(key, [&](const ValueView& text) { return contains(text); });
}

ValueView RecordView::type(std::size_t i) const noexcept {
  if (view.kind() != ValueKind::record) return {};
  const BlockReader reader = ValueAccess::reader(view);
  return ValueAccess::view(reader, reader.elements(ValueAccess::cell(view))[0])[i];
}

std::int64_t RecordView::standard_type() const noexcept {
  if (view.kind() != ValueKind::record) return 0;
  const BlockReader reader = ValueAccess::reader(view);
  return ValueAccess::view(reader, reader.elements(ValueAccess::cell(view))[0]).as_integer();
}

std::optional<ValueView> RecordView::find(std::string_view name) const {
  std::optional<ValueView> found;
  with_text(name, [&](const ValueView& text) {
    const TextParts expected = text_parts(ValueAccess::reader(text), ValueAccess::cell(text));
    const ValueView names = type(3);
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!equal_text(text_parts(ValueAccess::reader(names[i]), ValueAccess::cell(names[i])), expected)) continue;
      found = (*this)[i];
      return true;
    }
    return false;
  });
  return found;
}

ValueView ArrayView::part(std::size_t i) const noexcept {
  if (view.kind() != ValueKind::array) return {};
  const BlockReader reader = ValueAccess::reader(view);
  return ValueAccess::view(reader, reader.elements(ValueAccess::cell(view))[i]);
}

ArrayType ArrayView::type() const noexcept { return static_cast<ArrayType>(part(0).as_integer()); }
ValueView ArrayView::format() const noexcept { return part(1); }
std::size_t ArrayView::dimensions() const noexcept { return part(2).size(); }
std::size_t ArrayView::length(std::size_t i) const noexcept {
  return static_cast<std::size_t>(part(2)[i].as_integer());
}
std::span<const std::byte> ArrayView::content() const noexcept { return part(3).as_bytes(); }

}  // namespace xichan
