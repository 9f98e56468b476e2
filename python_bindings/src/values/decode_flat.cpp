// The leaves of containers, and the containers with nothing else in them: made in loops that need no frame.
#include "values/cpython_private.h"
#include "values/decode_leaf.h"
#include "values/decoder.h"
#include "values/key_cache.h"
#include "values/record_types.h"

namespace xichan::python {

// Stores entries whose keys and values are leaves in a dict. False with an exception set.
bool Decoder::fill_entries(BlockReader reader, std::span<const Cell> cells, PyObject* dict) noexcept {
  KeyCache* const cache = key_cache(state_);
  if (cache == nullptr) return false;
  for (std::size_t i = 0; i < cells.size(); i += 2) {
    PyObject* key = make_leaf_key(*cache, reader, cells[i]);
    PyObject* value = key != nullptr ? make_leaf(reader, cells[i + 1]) : nullptr;
    if (value == nullptr) {
      Py_XDECREF(key);
      return false;
    }
    if (set_entry(dict, key, value) < 0) return false;
  }
  return true;
}

// Returns a tuple, list or dict that `is_flat`. Null with an exception set.
PyObject* Decoder::make_flat(const CellRef& place) noexcept {
  const auto cells = place.reader.elements(*place.cell);
  const Tag tag = place.cell->tag();
  const auto length = static_cast<Py_ssize_t>(cells.size());
  note({cells.size(), 1});
  Ref object(tag == Tag::dict ? PyDict_New() : tag == Tag::list ? PyList_New(length) : PyTuple_New(length));
  if (!object) return nullptr;
  bool filled;
  if (tag == Tag::dict) {
    filled = fill_entries(place.reader, cells, object.get());
  } else {
    filled = fill_slots(place.reader, cells, tag == Tag::list ? reinterpret_cast<PyListObject*>(object.get())->ob_item
                                                              : reinterpret_cast<PyTupleObject*>(object.get())->ob_item);
  }
  return filled ? object.release() : nullptr;
}

// Returns an object whose type is known already and whose fields are leaves. Null with an exception set, or without one
// if it needs a frame.
PyObject* Decoder::make_flat_record(const CellRef& place, const CellRef& type) noexcept {
  PyObject* known = known_type(type);
  const auto cells = place.reader.elements(*place.cell).subspan(1);
  if (known == nullptr || !is_flat(cells)) return nullptr;
  const ResolvedType resolved(known);
  const auto count = static_cast<Py_ssize_t>(cells.size());
  if (count != PyTuple_GET_SIZE(resolved.names())) return nullptr;
  if (resolved.kind() == RecordKind::items) {
    note({cells.size(), 1});
    Ref tuple(new_items(resolved, count));
    const bool filled =
        tuple && fill_slots(place.reader, cells, reinterpret_cast<PyTupleObject*>(tuple.get())->ob_item);
    return filled ? tuple.release() : nullptr;
  }
  if (resolved.kind() != RecordKind::attributes) return nullptr;
  note({1, 1});
  Ref object(new_object(resolved));
  for (Py_ssize_t i = 0; i < count && object; ++i) {
    const Ref field(make_leaf(place.reader, cells[static_cast<std::size_t>(i)]));
    PyObject* name = PyTuple_GET_ITEM(resolved.names(), i);
    if (!field || PyObject_GenericSetAttr(object.get(), name, field.get()) < 0) return nullptr;
  }
  return object.release();
}

}  // namespace xichan::python
