#include "values/decode.h"

#include "values/decode_error.h"
#include "values/decode_leaf.h"
#include "values/decoder.h"
#include "values/pickling.h"
#include "values/view.h"

namespace xichan::python {

PyObject* decode_at(ModuleState& state, BlockReader reader, const Cell& cell, bool copy) noexcept {
  const CellRef place = resolve(reader, cell);
  if (place.cell->is_complete()) return make_short(*place.cell);
  if (!copy) {
    if (deserves_view(place)) return new_view_at(state, place);
    if (is_pickled(place.reader, *place.cell)) return unpickle(state, place.reader, *place.cell, copy);
  }
  PyObject* value = Decoder(state).make(place);
  return value != nullptr ? value : raise_decode_error(state, place);
}

PyObject* decode_untrusted(ModuleState& state, const Cell& cell, ClassList classes) noexcept {
  if (!cell.owns_block()) return make_short(cell);
  const BlockReader reader(cell.as_block());
  const CellRef place = resolve(reader, reader.root());
  PyObject* value = Decoder(state, classes).make(place);
  return value != nullptr ? value : raise_decode_error(state, place);
}

PyObject* decode_any(ModuleState& state, const Cell& cell, bool copy) noexcept {
  if (!cell.owns_block()) return make_short(cell);
  const BlockReader reader(cell.as_block());
  return cell.tag() == Tag::shared_block ? new_shared(state, reader.block())
                                         : decode_at(state, reader, reader.root(), copy);
}

}  // namespace xichan::python
