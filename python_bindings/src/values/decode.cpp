#include "values/decode.h"

#include "base/large_copy.h"
#include "base/ref.h"
#include "value/line.h"
#include "value/message.h"
#include "value/pickled.h"
#include "values/array_object.h"
#include "values/decode_error.h"
#include "values/decode_leaf.h"
#include "values/decoder.h"
#include "values/str_view.h"
#include "values/view.h"

namespace xichan::python {
namespace {

PyObject* new_view_at(ModuleState& state, const CellRef& place) noexcept {
  const auto make = [&](ValueType type) noexcept { return new_view(state, type, place.reader.block(), *place.cell); };
  switch (place.cell->tag()) {
    case Tag::tuple: return make(ValueType::tuple);
    case Tag::list: return make(ValueType::list);
    case Tag::dict:
    case Tag::frozendict: return make(ValueType::dict);
    case Tag::set:
    case Tag::frozenset: return make(ValueType::set);
    case Tag::record: return make(ValueType::record);
    case Tag::array: return new_array_view(state, place);
    case Tag::bytes: return make(ValueType::bytes);
    default: return new_str_view(state, place);
  }
}

// Returns the value of a cell with a line. Only a view needs a block; where the memory limit allows none, the tuple is
// copied, because a receiver that frees no memory by receiving must not fail.
PyObject* decode_line(ModuleState& state, const Cell& cell, bool copy) noexcept {
  if (cell.tag() != Tag::tuple) return make_payload(line_of(cell).bytes, cell);
  if (Cell owned = cell; !copy && move_to_block(owned) == Status::ok) {
    PyObject* const view = decode_any(state, owned, copy);
    release(owned);
    return view;
  }
  const auto length = static_cast<Py_ssize_t>(cell.length());
  Ref tuple(PyTuple_New(length));
  for (Py_ssize_t i = 0; tuple && i < length; ++i) {
    PyObject* const item = make_short(state, line_of(cell).cells()[i]);
    if (item == nullptr) return nullptr;
    PyTuple_SET_ITEM(tuple.get(), i, item);
  }
  return tuple.release();
}

}  // namespace

PyObject* decode_at(ModuleState& state, BlockReader reader, const Cell& cell, bool copy) noexcept {
  const CellRef place = resolve(reader, cell);
  if (place.cell->is_complete()) return make_short(state, *place.cell);
  if (!copy) {
    if (deserves_view(place)) return new_view_at(state, place);
    if (is_pickled(place.reader, *place.cell)) return unpickle(state, place.reader, *place.cell, copy);
  }
  if (place.cell->has_payload()) {
    const void* const data = place.reader.payload(*place.cell);
    return place.cell->length() < smallest_streamed ? make_payload(data, *place.cell)
                                                    : make_large_payload(data, *place.cell);
  }
  if (has_flat_tag(*place.cell) && is_flat(place.reader, *place.cell)) {
    Extent extent;
    PyObject* value = FlatDecoder(state).make_flat(place.reader, *place.cell, extent);
    if (value != nullptr) [[likely]]
      return value;
    if (PyErr_Occurred() != nullptr) return raise_decode_error(state, place);
  }
  Decoder decoder(state);
  PyObject* value = decoder.make(place);
  if (value != nullptr) [[likely]]
    return value;
  decoder.return_movables();
  return raise_decode_error(state, place);
}

PyObject* decode_to_pickle(ModuleState& state, BlockReader reader, const Cell& cell) noexcept {
  const CellRef place = resolve(reader, cell);
  if (place.cell->is_complete()) return make_short(state, *place.cell);
  Decoder decoder(state, nullptr, Decoder::Movables::left);
  PyObject* value = decoder.make(place);
  return value != nullptr || decoder.has_left_movable() ? value : raise_decode_error(state, place);
}

PyObject* decode_to_look(ModuleState& state, BlockReader reader, const Cell& cell) noexcept {
  const CellRef place = resolve(reader, cell);
  if (place.cell->tag() != Tag::record) return decode_at(state, reader, cell, true);
  Decoder decoder(state, nullptr, Decoder::Movables::left);
  PyObject* value = decoder.make(place);
  if (value != nullptr) return value;
  if (!decoder.has_left_movable()) return raise_decode_error(state, place);
  PyErr_Clear();
  return nullptr;
}

PyObject* decode_untrusted(ModuleState& state, const Cell& cell, ClassList classes) noexcept {
  if (!cell.owns_block()) return make_short(state, cell);
  const BlockReader reader(cell.as_block());
  const CellRef place = resolve(reader, reader.root());
  Foreign foreign(classes, place.reader.block());
  PyObject* value = Decoder(state, &foreign).make(place);
  return value != nullptr ? value : raise_decode_error(state, place);
}

PyObject* decode_any(ModuleState& state, const Cell& cell, bool copy) noexcept {
  if (!cell.owns_block()) {
    return make_short<true>(state, cell, [&]() noexcept { return decode_line(state, cell, copy); });
  }
  const BlockReader reader(cell.as_block());
  return cell.tag() == Tag::shared_block ? new_shared(state, reader.block())
                                         : decode_at(state, reader, reader.root(), copy);
}

PyObject* view_value(PyObject* self, PyObject*) noexcept {
  const View* view = as_view(self);
  return decode_at(*view->state, view->slice.reader(), view->slice.cell, true);
}

PyObject* view_value_to_pickle(PyObject* self) noexcept {
  const View* view = as_view(self);
  return decode_to_pickle(*view->state, view->slice.reader(), view->slice.cell);
}

}  // namespace xichan::python
