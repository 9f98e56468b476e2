// The leaves of containers, and the containers with nothing else in them: made in loops that need no frame.
#include "values/cpython_private.h"
#include "values/decode_leaf.h"
#include "values/decoder.h"
#include "values/record_types.h"

namespace xichan::python {
namespace {

// Returns a new object of the type, unless that needs a frame. Null with an exception set, or without one.
PyObject* make_of_fields(const ResolvedType& type, std::span<PyObject*> fields) noexcept {
  const auto count = static_cast<Py_ssize_t>(fields.size());
  switch (type.kind()) {
    case RecordKind::attributes: {
      Ref object(new_object(type));
      for (Py_ssize_t i = 0; i < count && object; ++i) {
        PyObject* name = PyTuple_GET_ITEM(type.names(), i);
        if (PyObject_GenericSetAttr(object.get(), name, fields[static_cast<std::size_t>(i)]) < 0) return nullptr;
      }
      return object.release();
    }
    case RecordKind::items: {
      PyObject* tuple = new_items(type, count);
      for (Py_ssize_t i = 0; i < count && tuple != nullptr; ++i) {
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(fields[static_cast<std::size_t>(i)]));
      }
      return tuple;
    }
    case RecordKind::make: return PyObject_Vectorcall(type.create(), fields.data(), fields.size(), nullptr);
    case RecordKind::fill: break;
  }
  return nullptr;
}

}  // namespace

// Returns what a repeat stands for if that is made already; null, without an exception, if not.
PyObject* FlatDecoder::made_before(BlockReader reader, const Cell& repeat, Extent& extent) noexcept {
  const Made* made = repeats_ == nullptr ? nullptr : repeats_->find(content_of(reader, reader.repeated(repeat)));
  if (made == nullptr || made->object == nullptr) return nullptr;
  extent.add(made->extent);
  return Py_NewRef(made->object);
}

[[gnu::always_inline]] inline PyObject* FlatDecoder::make_part(BlockReader reader, const Cell& cell,
                                                               Extent& extent) noexcept {
  if (cell.tag() == Tag::integer) return PyLong_FromLongLong(cell.as_integer());
  if (cell.tag() < Tag::ascii) return make_short(state_, cell);
  if (cell.tag() <= Tag::big_int) return make_payload(reader.payload(cell), cell);
  if (cell.tag() == Tag::repeat) return made_before(reader, cell, extent);
  Extent inner;
  PyObject* container = make_flat(reader, cell, inner);
  extent.add(inner);
  return container;
}

bool FlatDecoder::fill_slots(BlockReader reader, std::span<const Cell> cells, PyObject** slots,
                             Extent& extent) noexcept {
  for (const Cell& cell : cells) {
    PyObject* item = make_part(reader, cell, extent);
    if (item == nullptr) return false;
    *slots++ = item;
  }
  return true;
}

bool FlatDecoder::fill_entries(BlockReader reader, std::span<const Cell> cells, PyObject* dict,
                               Extent& extent) noexcept {
  const ModuleState& state = state_;
  for (std::size_t i = 0; i < cells.size(); i += 2) {
    const bool is_repeat = cells[i].tag() == Tag::repeat;
    // Any other key may have its own __hash__, and no Python code may run before the containers are complete.
    if (is_repeat && !reader.repeated(cells[i]).has_payload()) return false;
    Extent none{};
    PyObject* key = is_repeat ? made_before(reader, cells[i], none) : make_leaf_key(state, reader, cells[i]);
    PyObject* value = key != nullptr ? make_part(reader, cells[i + 1], extent) : nullptr;
    if (value == nullptr) {
      Py_XDECREF(key);
      return false;
    }
    if (set_entry(dict, key, value) < 0) return false;
  }
  return true;
}

PyObject* FlatDecoder::make_flat(BlockReader reader, const Cell& cell, Extent& extent) noexcept {
  const auto cells = reader.elements(cell);
  const Tag tag = cell.tag();
  const auto length = static_cast<Py_ssize_t>(cells.size());
  extent = {cells.size(), 1, false, false};
  Ref object(tag == Tag::dict ? PyDict_New() : tag == Tag::list ? PyList_New(length) : PyTuple_New(length));
  if (!object) return nullptr;
  const bool filled = tag == Tag::dict ? fill_entries(reader, cells, object.get(), extent)
                      : tag == Tag::list
                          ? fill_slots(reader, cells, reinterpret_cast<PyListObject*>(object.get())->ob_item, extent)
                          : fill_slots(reader, cells, reinterpret_cast<PyTupleObject*>(object.get())->ob_item, extent);
  return filled ? object.release() : nullptr;
}

// Returns a record whose type is known already and whose fields are flat; else as make_flat(). The decoder is careful
// since it knows a type.
PyObject* Decoder::make_flat_record(const CellRef& place, const CellRef& type) noexcept {
  PyObject* known = known_type(type);
  const auto cells = place.reader.elements(*place.cell).subspan(1);
  if (known == nullptr || !is_flat(place.reader, cells)) return nullptr;
  const ResolvedType resolved(known);
  const bool has_all = static_cast<Py_ssize_t>(cells.size()) == PyTuple_GET_SIZE(resolved.names());
  if (!has_all || resolved.kind() == RecordKind::fill) return nullptr;
  PyObject* fields[most_flat_cells];
  std::fill_n(fields, cells.size(), nullptr);
  Extent extent{cells.size(), 1, false, false};
  const bool filled = fill_slots(place.reader, cells, fields, extent);
  PyObject* object = filled ? make_of_fields(resolved, {fields, cells.size()}) : nullptr;
  for (std::size_t i = 0; i < cells.size(); ++i) Py_XDECREF(fields[i]);
  if (object != nullptr) note(resolved.kind() == RecordKind::items ? extent : Extent{1, 1, false, false});
  return object;
}

}  // namespace xichan::python
