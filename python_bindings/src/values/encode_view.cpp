#include "values/encode_view.h"

#include "arena/arena.h"
#include "value/block_builder.h"
#include "value/message.h"
#include "values/str_view.h"

namespace xichan::python {
namespace {

bool same(const Cell& one, const Cell& other) noexcept { return one.head == other.head && one.word == other.word; }

ViewEncoding encoding_of(const BlockSlice& slice) noexcept {
  const Cell& cell = slice.cell;
  if (cell.is_complete()) return {ViewEncoding::ViewKind::complete, nullptr, cell};
  if (cell.tag() == Tag::bytes && fits_short(cell.length(), 1)) {  // a slice
    return {ViewEncoding::ViewKind::complete, nullptr,
            Cell::of_short(Tag::short_bytes, slice.reader().payload(cell), cell.length())};
  }
  const bool whole = same(cell, slice.reader().root());
  return {whole ? ViewEncoding::ViewKind::reference : ViewEncoding::ViewKind::window, slice.block, cell};
}

}  // namespace

ViewEncoding encoding_of(const ModuleState& state, PyObject* value) noexcept {
  if (is_a(state, value, ValueType::str)) return encoding_of(reinterpret_cast<StrView*>(value)->slice);
  if (is_a(state, value, ValueType::bytes)) return encoding_of(as_view(value)->slice);
  for (const ValueType type : {ValueType::dict, ValueType::set, ValueType::record, ValueType::array}) {
    if (is_a(state, value, type)) return encoding_of(as_view(value)->slice);
  }
  if (is_a(state, value, ValueType::tuple) || is_a(state, value, ValueType::list)) {
    if (as_view(value)->step != 1) return {ViewEncoding::ViewKind::strided, nullptr, {}};
    return encoding_of(as_view(value)->slice);
  }
  if (is_a(state, value, ValueType::shared)) return {ViewEncoding::ViewKind::shared, as_view(value)->slice.block, {}};
  return {};
}

bool encode_whole(const ModuleState& state, PyObject* value, Cell& cell) noexcept {
  const ViewEncoding encoding = encoding_of(state, value);
  switch (encoding.kind) {
    case ViewEncoding::ViewKind::complete: cell = encoding.cell; return true;
    case ViewEncoding::ViewKind::reference: cell = Cell::of_block(encoding.block); break;
    case ViewEncoding::ViewKind::shared: cell = Cell::of_block(encoding.block, Tag::shared_block); break;
    default: return false;
  }
  retain(cell);
  return true;
}

Status make_contiguous(View* view) noexcept {
  const BlockReader reader = view->slice.reader();
  const auto length = static_cast<std::uint64_t>(view->slice.cell.length());
  const Cell* const first = reader.elements(view->slice.cell).data();
  const auto element = [&](std::uint64_t i) noexcept {
    return resolve(reader, first[static_cast<Py_ssize_t>(i) * view->step]);
  };
  BlockBuilder builder;
  builder.count_tuple(length);
  for (std::uint64_t i = 0; i < length; ++i) {
    if (!element(i).cell->is_complete()) builder.count_window();
  }
  const Status status = builder.allocate();
  if (status != Status::ok) return status;
  Cell* const cells = builder.write_tuple(builder.root(), length, view->slice.cell.tag());
  for (std::uint64_t i = 0; i < length; ++i) {
    const CellRef place = element(i);
    if (place.cell->is_complete()) {
      cells[i] = *place.cell;
    } else {
      auto* block = const_cast<Block*>(place.reader.block());
      Arena::retain(block);
      builder.write_window(cells[i], {&block_reference, block}, *place.cell);
    }
  }
  Block* const made = builder.finish().as_block();
  Block* const before = view->slice.block;
  view->slice = {made, BlockReader(made).root()};
  view->step = 1;
  Arena::release(before);
  return Status::ok;
}

}  // namespace xichan::python
