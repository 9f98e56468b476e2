#include "values/decoder.h"

#include "base/handle.h"
#include "base/state_handle.h"
#include "value/moved.h"
#include "values/array_object.h"
#include "values/decode_leaf.h"
#include "values/elements.h"
#include "values/receive_moved.h"
#include "values/view.h"

namespace xichan::python {

Decoder::~Decoder() {
  for (Frame& frame : frames_) frame.release();  // none unless decoding failed
  for (PyObject* object : owned_) Py_DECREF(object);
}

// Makes a value, unless it is flat.
[[gnu::always_inline]] inline PyObject* Decoder::make_unflat(const CellRef& place) noexcept {
  const auto [reader, cell] = place;
  switch (cell->tag()) {
    case Tag::ascii:
    case Tag::latin1:
    case Tag::ucs2:
    case Tag::ucs4:
    case Tag::bytes:
    case Tag::big_int: return make_payload(reader.payload(*cell), *cell);
    case Tag::complex: return make_complex(reader, *cell);
    case Tag::bytearray: return make_bytearray(reader, *cell);
    case Tag::array:
      if (array_kind(place) == ArrayKind::memoryview) return make_memoryview(state_, place);
      break;
    case Tag::record: return make_record(place);
    case Tag::reference: return make_referenced(reader.reference(*cell));
    case Tag::shared: return make_shared(static_cast<const Block*>(reader.reference(*cell).object));
    default: break;
  }
  if (cell->is_complete()) return make_short(state_, *cell);
  child_ = place;
  return nullptr;
}

PyObject* Decoder::make_found(const CellRef& place) noexcept {
  if (foreign_ == nullptr && has_flat_tag(*place.cell) && is_flat(place.reader, *place.cell)) {
    Extent extent;
    PyObject* value = make_flat(place.reader, *place.cell, extent);
    if (value != nullptr) note(extent);
    if (value != nullptr || PyErr_Occurred()) return value;
  }
  return make_unflat(place);
}

PyObject* Decoder::make(const CellRef& place) noexcept {
  root_ = place.reader.block();
  PyObject* value = make_unflat(place);
  if (child_.cell == nullptr) return value;
  child_recurs_ = place.cell->is_repeated();  // it contains itself, or occurs elsewhere in its block
  if (child_recurs_ && find_made(place) == nullptr) return PyErr_NoMemory();
  Filled filled = Filled::child;
  while (filled != Filled::failed) {
    if (filled == Filled::child) {
      if (!begin(std::exchange(child_, {}), std::exchange(child_recurs_, false))) return nullptr;
    } else {
      Frame& frame = frames_.last();
      value = finish(frame);
      const Extent extent = frame.extent;
      (void)frames_.pop();
      if (value == nullptr || frames_.empty()) return value;
      if (!store(frames_.last(), value, extent)) return nullptr;
    }
    filled = fill(frames_.last());
  }
  return nullptr;
}

PyObject* Decoder::make_item(Frame& frame, const Cell& cell) noexcept {
  const CellRef place = resolve(frame.place.reader, cell);
  return may_recur(frame.place.reader, place) ? make_recurring(frame, place) : make_found(place);
}

PyObject* Decoder::make_key(Frame& frame, const Cell& cell) noexcept {
  if (is_single_leaf(cell) && (foreign_ == nullptr || cell.tag() < Tag::ascii)) {
    return make_leaf(state_, frame.place.reader, cell);
  }
  again_ = {};
  PyObject* key = make_item(frame, cell);
  if (key == nullptr || admit_key(frame, key, again_)) return key;
  Py_DECREF(key);
  return nullptr;
}

// Makes one object for all cells that show the same content. This matches the original value where something occurs
// more than once. It keeps a small block that repeats a large payload from becoming a large value, and likewise a value
// that refers to another block many times.
PyObject* Decoder::make_recurring(Frame& frame, const CellRef& place) noexcept {
  const Cell& cell = *place.cell;
  if (cell.is_complete() || !(cell.has_payload() || cell.has_elements())) return make_found(place);
  Made* made = find_made(place);
  if (made == nullptr) return PyErr_NoMemory();
  if (made->found) {
    again_ = foreign_ == nullptr ? made->extent : foreign_->where_it_recurs(made->object, made->extent);
    frame.extent.add(again_);
    if (made->object != nullptr) return Py_NewRef(made->object);
    PyErr_SetString(PyExc_ValueError, "a tuple, set or object that needs its parts when it is made contains itself");
    return nullptr;
  }
  made->found = true;
  again_ = {};
  PyObject* value = make_found(place);
  made->extent = again_;
  if (value != nullptr) {
    if (foreign_ != nullptr && cell.has_payload()) frame.extent.add(made->extent = Foreign::of_payload(cell));
    return made->object = own(value);
  }
  child_recurs_ = child_.cell != nullptr;
  return nullptr;
}

// Returns false, with ValueError set, if hashing or comparing a key could recurse too deeply or take too long.
bool Decoder::check_key(const Extent& extent) const noexcept {
  if (extent.height <= largest_key_height &&
      (extent.size <= largest_key_size || extent.size <= root_->body_bytes() / sizeof(Cell))) {
    return true;
  }
  PyErr_SetString(PyExc_ValueError, "a key of a dict, or an item of a set, is nested too deeply or contains itself");
  return false;
}

// Returns false, with an exception set, if a key must not be stored.
bool Decoder::admit_key(Frame& frame, PyObject* key, const Extent& extent) noexcept {
  if (!check_key(extent)) return false;
  if (foreign_ == nullptr) return true;
  if (!foreign_->charge_key(frame.place.cell, key, extent)) return false;
  if (!foreign_->is_signal_check_due()) return true;
  become_careful();
  return PyErr_CheckSignals() == 0;
}

// Makes one object for each shared value, which pickle and copy then copy once.
PyObject* Decoder::make_shared(const Block* block) noexcept {
  if (first_shared_ != nullptr && as_view(first_shared_)->slice.block == block) return Py_NewRef(first_shared_);
  Made* made = reserve_owned() ? made_.insert({block, 0}) : nullptr;
  if (made == nullptr) return PyErr_NoMemory();
  if (made->object != nullptr) return Py_NewRef(made->object);
  PyObject* shared = new_shared(state_, block);
  if (shared == nullptr) return nullptr;
  if (first_shared_ == nullptr) first_shared_ = shared;
  return made->object = own(shared);
}

// Makes one object for each reference, however many cells name it.
PyObject* Decoder::make_moved(Moved* moved) noexcept {
  if (movables_ == Movables::left) {
    has_left_movable_ = true;
    return PyErr_Format(PyExc_TypeError, "cannot pickle or copy a view of a %s; take it out, by view.value()",
                        moved->type().name);
  }
  Made* made = reserve_owned() ? made_.insert({moved, 0}) : nullptr;
  if (made == nullptr) return PyErr_NoMemory();
  if (made->object != nullptr) return Py_NewRef(made->object);
  PyObject* object = receive_moved(state_, moved);
  return object == nullptr ? nullptr : made->object = own(object);
}

void Decoder::return_movables() noexcept {
  for (PyObject* object : owned_) {
    if (!is_of_movable_type(state_, object)) continue;
    MovableObject* const movable = as_movable(object);
    // Not an object that Python code made, or received in another message.
    const Made* made = movable->origin == nullptr ? nullptr : made_.find({movable->origin, 0});
    if (made != nullptr && made->object == object) return_moved(movable);
  }
}

PyObject* Decoder::make_referenced(const Reference& reference) noexcept {
  if (is_moved(reference.type->kind)) return make_moved(static_cast<Moved*>(reference.object));
  if (reference.type->kind == ReferenceKind::state) {
    auto* const object = static_cast<StateObject*>(reference.object);
    object->retain();
    return new_state_handle(state_, object);
  }
  const Side side = reference.type->kind == ReferenceKind::sender ? Side::sender : Side::receiver;
  auto* channel = static_cast<Channel*>(reference.object);
  // If the channel was inherited by a fork, the endpoint is never released and the handle is closed.
  channel->add_endpoint(side);
  return new_handle(state_, channel, side);
}

}  // namespace xichan::python
