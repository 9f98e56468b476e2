// Records in the decoder.
//
// Making an object may run Python code: the import of its class, a function that creates it, __hash__() of a key.
// Before the first of these the decoder becomes careful: no tuple or list in progress has an unset slot from then on,
// and the garbage collector does not show the tuples.
#include "value/pickled.h"
#include "values/decode_error.h"
#include "values/decode_leaf.h"
#include "values/decoder.h"
#include "values/record_cells.h"
#include "values/record_types.h"
#include "values/standard_types.h"
#include "values/view.h"

namespace xichan::python {
namespace {

// Returns the tuple that a frame fills, or null for a list.
PyObject* filled_tuple(const Frame& frame) noexcept {
  if (frame.place.cell->tag() == Tag::list) return nullptr;
  return frame.aside != nullptr ? frame.aside : frame.object;
}

PyTupleObject* as_tuple(PyObject* object) noexcept { return reinterpret_cast<PyTupleObject*>(object); }
PyTypeObject* as_type(PyObject* object) noexcept { return reinterpret_cast<PyTypeObject*>(object); }

}  // namespace

void Decoder::become_careful() noexcept {
  if (std::exchange(careful_, true)) return;
  for (Frame& frame : frames_) soften(frame);
}

// Makes what a frame fills safe to be seen by Python code.
void Decoder::soften(Frame& frame) noexcept {
  if (frame.slots == nullptr) return;
  if (PyObject* tuple = filled_tuple(frame)) {
    PyObject** const end = as_tuple(tuple)->ob_item + PyTuple_GET_SIZE(tuple);
    for (PyObject** slot = frame.slots; slot != end; ++slot) *slot = Py_None;  // immortal
    if (PyObject_GC_IsTracked(tuple) != 0) PyObject_GC_UnTrack(tuple);
    return;
  }
  auto* list = reinterpret_cast<PyListObject*>(frame.object);
  Py_SET_SIZE(&list->ob_base, frame.slots - list->ob_item);  // it grows by appending from now on
  frame.slots = nullptr;
}

// Stores the next element of a sequence that Python code may see, consuming the reference.
bool Decoder::append(Frame& frame, PyObject* item) noexcept {
  const bool ok = PyList_Append(frame.object, item) == 0;
  Py_DECREF(item);
  return ok;
}

// Lets the garbage collector see a tuple that is complete. Code that ran meanwhile may have hashed it. The empty tuple
// is one static object of all interpreters, which the collector of none may hold.
void Decoder::expose(PyObject* tuple) noexcept {
  if (!careful_ || PyTuple_GET_SIZE(tuple) == 0) return;
#if PY_VERSION_HEX >= 0x030E0000
  as_tuple(tuple)->ob_hash = -1;
#endif
  if (PyObject_GC_IsTracked(tuple) == 0) PyObject_GC_Track(tuple);
}

// Returns a record that needs no frame: one of a native type whose fields are in its cells, or one of a foreign dump
// that was not made, as a view.
PyObject* Decoder::make_record(const CellRef& place) noexcept {
  if (place.cell->length() == 0) return raise_unexpected(*place.cell);
  if (is_pickled(place.reader, *place.cell)) return unpickle(state_, place.reader, *place.cell, true);
  const CellRef type = record_type(place);
  if (type.cell->tag() == Tag::integer) {
    const std::int64_t number = type.cell->as_integer();
    const auto standard = static_cast<StandardType>(number);
    if (is_native(number) && find_standard(state_, standard)) {
      if (standard == StandardType::uuid) become_careful();  // hashed by Python code
      PyObject* object = build_standard(state_, standard, place.reader, place.reader.elements(*place.cell).subspan(1));
      if (object != nullptr) return object;
      if (PyErr_Occurred()) return raise_for_record(state_, place);
    }
  } else if (foreign_ == nullptr && place.cell->is_untrusted()) {
    return view_of_record(place);
  }
  if (foreign_ == nullptr && type.cell->tag() == Tag::tuple) {
    PyObject* object = make_flat_record(place, type);
    if (object != nullptr) return object;
    if (PyErr_Occurred()) return raise_for_record(state_, place);
  }
  child_ = place;
  return nullptr;
}

bool Decoder::begin_record(Frame& frame, Py_ssize_t length) noexcept {
  const CellRef type = record_type(frame.place);
  ++frame.next;
  const Py_ssize_t count = length - 1;
  const bool is_standard = type.cell->tag() == Tag::integer;
  if (is_standard && is_native(type.cell->as_integer())) {
    const auto standard = static_cast<StandardType>(type.cell->as_integer());
    frame.native = find_standard(state_, standard);
    if (!frame.native) {
      become_careful();
      frame.native = import_standard(state_, standard);
    }
    if (frame.native) {
      if (standard == StandardType::uuid) become_careful();  // hashed by Python code
      return begin_parts(frame, count);
    }
    if (PyErr_Occurred()) return fail(frame);
  }
  become_careful();
  frame.type = (is_standard ? resolve_number(state_, type.cell->as_integer()) : find_type(type)).release();
  if (frame.type == nullptr) return fail(frame);
  if (frame.type == Py_None || is_misplaced(frame)) {
    Py_CLEAR(frame.type);
    frame.next = frame.end;
    frame.object = view_of_record(frame.place);
    return frame.object != nullptr;
  }
  const ResolvedType resolved(frame.type);
  if (!is_standard && count != PyTuple_GET_SIZE(resolved.names())) {
    PyErr_SetString(PyExc_ValueError, "the number of its fields does not match its type");
    return fail(frame);
  }
  return begin_resolved(frame, resolved, count) || fail(frame);
}

// Returns the resolved type at a cell if it was met before, borrowed, else null.
PyObject* Decoder::known_type(const CellRef& type) const noexcept {
  for (std::size_t i = 0; i < types_.size(); ++i) {
    if (types_[i].cell == type.cell) return types_[i].parts;
  }
  return nullptr;
}

PyObject* Decoder::view_of_record(const CellRef& place) noexcept {
  return new_view(state_, ValueType::record, place.reader.block(), *place.cell);
}

// Returns true for a class in a foreign dump that is not among the arguments of an exception, or in a list or tuple
// there. Others are never sent.
bool Decoder::is_misplaced(const Frame& frame) noexcept {
  if (foreign_ == nullptr || !has_type_name(frame.place) || !NamedType(frame.place).is_class()) return false;
  const Frame* around = frames_.end() - 1;  // this one
  for (int levels = 0; levels < 2; ++levels) {
    if (around - frames_.begin() < 2) return true;
    const Tag tag = (--around)->place.cell->tag();
    if (tag != Tag::tuple && tag != Tag::list) return true;
    const Frame& outer = around[-1];
    if (outer.type == nullptr) continue;
    constexpr std::ptrdiff_t through_arguments = 2;  // cells: the type, and the first field
    return PyType_IsSubtype(ResolvedType(outer.type).cls(), as_type(PyExc_BaseException)) == 0 ||
           outer.next != outer.end - outer.place.cell->length() + through_arguments;
  }
  return true;
}

// Returns the resolved type at a cell, or None. Most messages have few types, and many records of each.
Ref Decoder::find_type(const CellRef& type) noexcept {
  if (PyObject* known = known_type(type)) return Ref(Py_NewRef(known));
  Ref parts = resolve_type(state_, type, foreign_ == nullptr ? nullptr : foreign_->classes());
  if (parts && types_.size() < 8 && reserve_owned() && types_.push({type.cell, parts.get()})) {
    (void)owned_.push(Py_NewRef(parts.get()));
  }
  return parts;
}

bool Decoder::begin_resolved(Frame& frame, const ResolvedType& type, Py_ssize_t count) noexcept {
  switch (type.kind()) {
    case RecordKind::attributes:
      frame.object = new_object(type);
      return frame.object != nullptr && begin_parts(frame, count);
    case RecordKind::items:
      frame.object = new_items(type, count);
      if (frame.object == nullptr) return false;
      frame.slots = as_tuple(frame.object)->ob_item;
      return true;
    case RecordKind::fill:
      frame.object = PyObject_CallOneArg(type.create(), reinterpret_cast<PyObject*>(type.cls()));
      if (frame.object == nullptr || !begin_parts(frame, count + 1)) return false;
      *frame.slots++ = Py_NewRef(frame.object);
      return true;
    case RecordKind::make: return begin_parts(frame, count);
  }
  return false;
}

PyObject* Decoder::make_object(Frame& frame) noexcept {
  if (frame.native) {
    const auto type = static_cast<StandardType>(record_type(frame.place).cell->as_integer());
    return build_standard(state_, type, as_tuple(frame.aside)->ob_item, PyTuple_GET_SIZE(frame.aside));
  }
  if (frame.type == nullptr) return Py_NewRef(frame.object);  // a view
  if (foreign_ != nullptr && !charge_record(frame)) return nullptr;
  const ResolvedType type(frame.type);
  if (frame.aside != nullptr) expose(frame.aside);
  switch (type.kind()) {
    case RecordKind::attributes:
      for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(frame.aside); ++i) {
        PyObject* name = PyTuple_GET_ITEM(type.names(), i);
        if (PyObject_GenericSetAttr(frame.object, name, PyTuple_GET_ITEM(frame.aside, i)) < 0) return nullptr;
      }
      return Py_NewRef(frame.object);
    case RecordKind::items: expose(frame.object); return Py_NewRef(frame.object);
    case RecordKind::fill: {
      const Ref filled(PyObject_Call(type.fill(), frame.aside, nullptr));
      return filled ? Py_NewRef(frame.object) : nullptr;
    }
    case RecordKind::make: {
      Ref made(PyObject_Call(type.create(), frame.aside, nullptr));
      // No member of an enum.
      return foreign_ != nullptr && made.get() == Py_NotImplemented ? view_of_record(frame.place) : made.release();
    }
  }
  return nullptr;
}

// Charges for making an object. The constructor of Fraction divides by the greatest common divisor.
bool Decoder::charge_record(const Frame& frame) noexcept {
  const CellRef type = record_type(frame.place);
  if (type.cell->tag() != Tag::integer ||
      type.cell->as_integer() != static_cast<std::int64_t>(StandardType::fraction)) {
    return true;
  }
  const auto part = [&](std::size_t i) noexcept { return resolve(frame.place.reader, (frame.end - 2)[i]); };
  return foreign_->charge_division(part(0), part(1));
}

// Raises DecodeError for the record of a frame, and returns false.
bool Decoder::fail(Frame& frame) noexcept {
  raise_for_record(state_, frame.place);
  return false;
}

}  // namespace xichan::python
