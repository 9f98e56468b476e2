// The containers of the decoder: made empty, filled, finished.
#include <algorithm>

#include "values/array_make.h"
#include "values/cpython_private.h"
#include "values/decode_leaf.h"
#include "values/decoder.h"
#include "values/elements.h"

namespace xichan::python {
namespace {

PyObject* new_frozendict() noexcept {
#if PY_VERSION_HEX >= 0x030F0000
  if (_PyDict_SetItem_KnownHash_LockHeld != nullptr) return PyFrozenDict_New(nullptr);
#endif
  PyErr_SetString(PyExc_ValueError, "a frozendict needs Python 3.15 or later");
  return nullptr;
}

// Stores an entry, consuming both references.
bool set_frozen_entry(PyObject* dict, PyObject* key, PyObject* value) noexcept {
  const Py_hash_t hash = PyObject_Hash(key);
  const bool ok =
      hash != -1 && _PyDict_SetItem_KnownHash_LockHeld(reinterpret_cast<PyDictObject*>(dict), key, value, hash) == 0;
  Py_DECREF(key);
  Py_DECREF(value);
  return ok;
}

bool set_any_entry(const Frame& frame, PyObject* key, PyObject* value) noexcept {
  return frame.place.cell->tag() == Tag::dict ? set_entry(frame.object, key, value) == 0
                                              : set_frozen_entry(frame.object, key, value);
}

// Returns the extent of a container where it is a key. Objects are hashed and compared by functions of their class,
// which notice when they recurse too deeply.
Extent extent_as_key(const Frame& frame, const Extent& extent) noexcept {
  const bool is_object = frame.place.cell->tag() == Tag::record &&
                         (frame.type == nullptr || ResolvedType(frame.type).kind() != RecordKind::items);
  return is_object ? Extent{1, 1, false, false} : extent;
}

// Returns the leaves that come next.
std::span<const Cell> leaves_of(const Frame& frame) noexcept {
  return {frame.next, std::find_if_not(frame.next, frame.end, is_single_leaf)};
}

}  // namespace

// Makes a container empty, or with room for its elements. False with an exception set.
bool Decoder::begin(const CellRef& place, bool recurs) noexcept {
  if (frames_.add() == nullptr) return PyErr_NoMemory() != nullptr;
  Frame& frame = frames_.last();
  const Cell& cell = *place.cell;
  const std::uint64_t length = cell.length() - (cell.is_hashed() && cell.is_indexed());
  frame = {.next = place.reader.elements(cell).data(),
           .place = place,
           .extent = {length, 1, false, false},
           .recurs = recurs};
  frame.end = frame.next + length;
  if (!begin_object(frame, static_cast<Py_ssize_t>(length))) {
    frame.release();
    (void)frames_.pop();
    return false;
  }
  if (careful_) soften(frame);
  if (recurs)
    *made_.find(content_of(place.reader, *place.cell)) = {frame.object, extent_as_key(frame, Extent::unlimited()),
                                                          true};
  return true;
}

bool Decoder::begin_object(Frame& frame, Py_ssize_t length) noexcept {
  switch (frame.place.cell->tag()) {
    case Tag::tuple:
      frame.object = PyTuple_New(length);
      if (frame.object != nullptr) frame.slots = reinterpret_cast<PyTupleObject*>(frame.object)->ob_item;
      break;
    case Tag::list:
      frame.object = PyList_New(length);
      if (frame.object != nullptr) frame.slots = reinterpret_cast<PyListObject*>(frame.object)->ob_item;
      break;
    case Tag::dict: frame.object = PyDict_New(); break;
    case Tag::frozendict: frame.object = new_frozendict(); break;
    case Tag::set: frame.object = PySet_New(nullptr); break;
    case Tag::frozenset: frame.object = PyFrozenSet_New(nullptr); break;
    case Tag::range: return begin_parts(frame, length);
    case Tag::slice:
      frame.object = PySlice_New(nullptr, nullptr, nullptr);
      return frame.object != nullptr && begin_parts(frame, length);
    case Tag::queue: return begin_queue(frame, length);
    case Tag::array: return begin_array(frame);
    case Tag::record: return begin_record(frame, length);
    default: raise_unexpected(*frame.place.cell); return false;
  }
  return frame.object != nullptr;
}

bool Decoder::begin_parts(Frame& frame, Py_ssize_t length) noexcept {
  frame.aside = PyTuple_New(length);
  if (frame.aside == nullptr) return false;
  frame.slots = reinterpret_cast<PyTupleObject*>(frame.aside)->ob_item;
  return true;
}

// Makes a Queue. Allocating it and setting its slot run no Python code.
bool Decoder::begin_queue(Frame& frame, Py_ssize_t length) noexcept {
  if (state_.queue_type == nullptr) {
    PyErr_SetString(PyExc_SystemError, "xichan: received a Queue before xichan._queue registered its type");
    return false;
  }
  frame.object = state_.queue_type->tp_alloc(state_.queue_type, 0);
  return frame.object != nullptr && begin_parts(frame, length);
}

// Makes an array, whose cells are not values of their own. Runs Python code.
bool Decoder::begin_array(Frame& frame) noexcept {
  become_careful();
  frame.next = frame.end;
  frame.object = make_array(state_, frame.place, foreign_ == nullptr);
  return frame.object != nullptr;
}

Decoder::Filled Decoder::fill(Frame& frame) noexcept {
  switch (frame.place.cell->tag()) {
    case Tag::dict:
    case Tag::frozendict: return fill_dict(frame);
    case Tag::set:
    case Tag::frozenset: return fill_set(frame);
    default: return fill_sequence(frame);
  }
}

Decoder::Filled Decoder::fill_sequence(Frame& frame) noexcept {
  for (;;) {
    if (frame.slots != nullptr && frame.next != frame.end && is_single_leaf(*frame.next)) {
      const auto leaves = leaves_of(frame);
      if (!fill_slots(frame.place.reader, leaves, frame.slots, frame.extent)) return Filled::failed;
      frame.slots += leaves.size();
      frame.next += leaves.size();
    }
    if (frame.next == frame.end) return Filled::complete;
    PyObject* item = make_item(frame, *frame.next++);
    if (item == nullptr) return stopped();
    if (frame.slots != nullptr) [[likely]] {
      *frame.slots++ = item;
    } else if (!append(frame, item)) {
      return Filled::failed;
    }
  }
}

Decoder::Filled Decoder::fill_dict(Frame& frame) noexcept {
  const bool is_dict = frame.place.cell->tag() == Tag::dict;
  while (frame.next != frame.end) {
    if (frame.aside == nullptr) {
      if (is_dict && foreign_ == nullptr && is_single_leaf(*frame.next)) {
        const auto leaves = leaves_of(frame);
        const auto entries = leaves.first(leaves.size() & ~std::size_t{1});
        if (!fill_entries(frame.place.reader, entries, frame.object, frame.extent)) return Filled::failed;
        frame.next += entries.size();
        if (frame.next == frame.end) break;
      }
      if ((frame.aside = make_key(frame, *frame.next++)) == nullptr) return stopped();
    }
    PyObject* value = make_item(frame, *frame.next++);
    if (value == nullptr) return stopped();
    if (!set_any_entry(frame, std::exchange(frame.aside, nullptr), value)) return Filled::failed;
  }
  return Filled::complete;
}

Decoder::Filled Decoder::fill_set(Frame& frame) noexcept {
  while (frame.next != frame.end) {
    PyObject* item = make_key(frame, *frame.next++);
    if (item == nullptr) return stopped();
    if (add_item(frame.object, item) < 0) return Filled::failed;
  }
  return Filled::complete;
}

// Stores the container that came first, consuming the reference.
bool Decoder::store(Frame& frame, PyObject* value, const Extent& extent) noexcept {
  frame.extent.add(extent);
  if (!frame.place.cell->is_hashed()) {
    if (frame.slots == nullptr) return append(frame, value);
    *frame.slots++ = value;
    return true;
  }
  const bool is_value = frame.aside != nullptr;
  if (!is_value && !admit_key(frame, value, extent)) {
    Py_DECREF(value);
    return false;
  }
  if (frame.place.cell->entry_cells() == 1) return add_item(frame.object, value) == 0;
  if (is_value) return set_any_entry(frame, std::exchange(frame.aside, nullptr), value);
  frame.aside = value;
  return true;
}

// Returns the complete value; consumes what the frame owns.
PyObject* Decoder::finish(Frame& frame) noexcept {
  PyObject* value = finish_object(frame);
  if (value == nullptr || !frame.recurs) [[likely]]
    return value;
  *made_.find(content_of(frame.place.reader, *frame.place.cell)) = {own(value), frame.extent, true};
  return value;
}

PyObject* Decoder::finish_range(Frame& frame) noexcept {
  const auto part = [&](std::size_t i) noexcept { return resolve(frame.place.reader, (frame.end - 3)[i]); };
  const bool allowed = foreign_ == nullptr ||
                       (foreign_->charge_division(part(0), part(2)) && foreign_->charge_division(part(1), part(2)));
  PyObject* range = !allowed ? nullptr : PyObject_CallObject(reinterpret_cast<PyObject*>(&PyRange_Type), frame.aside);
  frame.release();
  return range;
}

PyObject* Decoder::finish_record(Frame& frame) noexcept {
  PyObject* object = make_object(frame);
  frame.extent = foreign_ == nullptr || object == nullptr ? extent_as_key(frame, frame.extent)
                 : frame.type == nullptr && !frame.native ? foreign_->of_view(frame.place)
                                                          : Foreign::of_object(object, frame.extent);
  if (object == nullptr) fail(frame);
  frame.release();
  return object;
}

PyObject* Decoder::finish_object(Frame& frame) noexcept {
  switch (frame.place.cell->tag()) {
    case Tag::tuple: expose(frame.object); return frame.object;
    case Tag::range: return finish_range(frame);
    case Tag::slice: {
      auto* slice = reinterpret_cast<PySliceObject*>(frame.object);
      PyObject** parts = reinterpret_cast<PyTupleObject*>(frame.aside)->ob_item;
      std::swap(slice->start, parts[0]);  // None until now
      std::swap(slice->stop, parts[1]);
      std::swap(slice->step, parts[2]);
      Py_DECREF(frame.aside);
      return frame.object;
    }
    case Tag::queue:
      expose(frame.aside);
      queue_slot(state_, frame.object) = frame.aside;
      return frame.object;
    case Tag::record: return finish_record(frame);
    case Tag::frozenset:
      reinterpret_cast<PySetObject*>(frame.object)->hash = -1;  // of code that saw it incomplete
      return frame.object;
    default: return frame.object;
  }
}

}  // namespace xichan::python
