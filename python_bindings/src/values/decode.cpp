#include "values/decode.h"

#include "values/decode_leaf.h"
#include "values/decoder.h"
#include "values/str_view.h"
#include "values/view.h"

namespace xichan::python {
namespace {

PyObject* new_view_at(ModuleState& state, const CellRef& place) noexcept {
  switch (place.cell->tag()) {
    case Tag::tuple: return new_view(state, ValueType::tuple, place.reader.block(), *place.cell);
    case Tag::bytes: return new_view(state, ValueType::bytes, place.reader.block(), *place.cell);
    default: return new_str_view(state, place);
  }
}

}  // namespace

PyObject* decode_at(ModuleState& state, BlockReader reader, const Cell& cell, bool copy) noexcept {
  const CellRef place = resolve(reader, cell);
  if (place.cell->is_complete()) return make_short(*place.cell);
  if (!copy && deserves_view(*place.cell)) return new_view_at(state, place);
  return Decoder(state).make(place);
}

PyObject* decode_any(ModuleState& state, const Cell& cell, bool copy) noexcept {
  if (!cell.owns_block()) return make_short(cell);
  const BlockReader reader(cell.as_block());
  return cell.tag() == Tag::shared_block ? new_shared(state, reader.block())
                                         : decode_at(state, reader, reader.root(), copy);
}

}  // namespace xichan::python
