// Fields are attributes, so nothing else on a RecordView may have the name of a field: a field hides the method
// value(), which remains available as RecordView.value(view); names with two underscores on both sides are never
// fields.
#include "values/record_view.h"

#include "base/ref.h"
#include "values/compare.h"
#include "values/decode.h"
#include "values/decode_error.h"
#include "values/hash.h"
#include "values/repr.h"
#include "values/view.h"

namespace xichan::python {
namespace {

CellRef record_of(PyObject* self) noexcept { return {as_view(self)->slice.reader(), &as_view(self)->slice.cell}; }

bool is_tuple(PyObject* self) noexcept { return NamedType(record_of(self)).is_tuple(); }

// Returns a TupleView of the fields.
PyObject* fields_of(PyObject* self) noexcept {
  const View* view = as_view(self);
  return new_view(*view->state, ValueType::tuple, view->slice.block, fields_as_tuple(view->slice.cell));
}

bool is_reserved(PyObject* name) noexcept {
  const Py_ssize_t length = PyUnicode_GET_LENGTH(name);
  const auto is_underscore = [name](Py_ssize_t i) noexcept { return PyUnicode_READ_CHAR(name, i) == '_'; };
  return length > 4 && is_underscore(0) && is_underscore(1) && is_underscore(length - 1) && is_underscore(length - 2);
}

PyObject* record_getattr(PyObject* self, PyObject* name) noexcept {
  if (!PyUnicode_CheckExact(name)) {
    const Ref exact(PyUnicode_FromObject(name));
    return exact ? record_getattr(self, exact.get()) : nullptr;
  }
  const CellRef record = record_of(self);
  const Py_ssize_t number = is_reserved(name) ? -1 : field_number(as_view(self)->state->field_guesses, record, name);
  if (number < 0) return PyObject_GenericGetAttr(self, name);
  const auto cells = record.reader.elements(*record.cell);
  return decode_at(*as_view(self)->state, record.reader, cells[static_cast<std::size_t>(number) + 1], false);
}

PyObject* record_value(PyObject* self, PyObject*) noexcept {
  const CellRef record = record_of(self);
  if (!record.cell->is_untrusted()) return view_value(self, nullptr);
  PyErr_SetString(PyExc_ValueError, "it was returned by loads(); pass its class to loads(..., classes=)");
  return raise_for_record(*as_view(self)->state, record);
}

PyObject* record_dir(PyObject* self, PyObject*) noexcept {
  Ref names(PyObject_CallMethod(reinterpret_cast<PyObject*>(&PyBaseObject_Type), "__dir__", "O", self));
  if (!names) return nullptr;
  const CellRef fields = NamedType(record_of(self)).fields();
  const Ref field_names(decode_at(*as_view(self)->state, fields.reader, *fields.cell, true));
  return field_names ? PySequence_InPlaceConcat(names.get(), field_names.get()) : nullptr;
}

PyObject* get_type_name(PyObject* self, void*) noexcept {
  return record_type_name(*as_view(self)->state, record_of(self));
}

// Returns 1 if an object has the class that the record names.
int has_same_class(PyObject* self, PyObject* object) noexcept {
  const NamedType type(record_of(self));
  const Ref module(PyObject_GetAttrString(reinterpret_cast<PyObject*>(Py_TYPE(object)), "__module__"));
  const Ref name(module ? PyType_GetQualName(Py_TYPE(object)) : nullptr);
  if (!name) return -1;
  ModuleState& state = *as_view(self)->state;
  const CellRef module_cell = type.module(), name_cell = type.name();
  const int same = Comparison(state).equal(module_cell.reader, *module_cell.cell, module.get());
  return same <= 0 ? same : Comparison(state).equal(name_cell.reader, *name_cell.cell, name.get());
}

// A namedtuple compares as a tuple. Any other record equals a record of the same class with equal fields, and what the
// object that it shows equals.
PyObject* record_compare(PyObject* self, PyObject* other, int operation) noexcept {
  const bool is_view = Py_IS_TYPE(other, Py_TYPE(self));
  if (is_tuple(self) &&
      (is_view ? is_tuple(other) : PyTuple_Check(other) || is_a(*as_view(self)->state, other, ValueType::tuple))) {
    const Ref mine(fields_of(self));
    const Ref theirs(!mine ? nullptr : is_view ? fields_of(other) : Py_NewRef(other));
    return theirs ? PyObject_RichCompare(mine.get(), theirs.get(), operation) : nullptr;
  }
  if (operation != Py_EQ && operation != Py_NE) Py_RETURN_NOTIMPLEMENTED;
  if (is_view) {
    const BlockSlice &mine = as_view(self)->slice, &theirs = as_view(other)->slice;
    Comparison comparison(*as_view(self)->state);
    const int equal = comparison.equal(mine.reader(), mine.cell, theirs.reader(), theirs.cell);
    return equal < 0 ? nullptr : PyBool_FromLong(equal == (operation == Py_EQ));
  }
  const int same = record_of(self).cell->is_untrusted() ? 0 : has_same_class(self, other);
  if (same < 0) return nullptr;
  if (same == 0) Py_RETURN_NOTIMPLEMENTED;
  const Ref value(view_value(self, nullptr));
  return value ? PyObject_RichCompare(value.get(), other, operation) : nullptr;
}

// Returns the fields of a namedtuple; null with TypeError set for any other record.
PyObject* tuple_of(PyObject* self, const char* what) noexcept {
  if (is_tuple(self)) return fields_of(self);
  const Ref type(get_type_name(self, nullptr));
  return type ? PyErr_Format(PyExc_TypeError, "xichan.RecordView of %S %s; only that of a namedtuple is a sequence",
                             type.get(), what)
              : nullptr;
}

PyObject* record_iterator(PyObject* self) noexcept {
  const Ref fields(tuple_of(self, "is not iterable"));
  return fields ? PyObject_GetIter(fields.get()) : nullptr;
}

Py_ssize_t record_length(PyObject* self) noexcept {
  const Ref fields(tuple_of(self, "has no length"));
  return fields ? PyObject_Size(fields.get()) : -1;
}

PyObject* record_subscript(PyObject* self, PyObject* key) noexcept {
  const Ref fields(tuple_of(self, "is not subscriptable"));
  return fields ? PyObject_GetItem(fields.get(), key) : nullptr;
}

int record_bool(PyObject* self) noexcept { return !is_tuple(self) || as_view(self)->slice.cell.length() > 1; }

PyObject* record_reduce(PyObject* self, PyObject*) noexcept {
  const bool is_untrusted = record_of(self).cell->is_untrusted();
  return reduce_to_value(is_untrusted ? record_value(self, nullptr) : view_value_to_pickle(self));
}

PyDoc_STRVAR(record_doc,
"An object that is read in place, in shared memory of the process. Received with copy=False.\n\n"
"Its fields are attributes and are decoded when they are accessed: containers, and large str and bytes, are views\n"
"again. Reading them needs no class; value() does. Equals views of the same class with equal fields, and the object\n"
"itself. The view of a namedtuple is also a sequence. If a field is named value, call RecordView.value(view).\n"
"It keeps the memory of the whole message that it was received in. Immutable, so any thread of its interpreter may\n"
"use it.");

PyDoc_STRVAR(value_doc,
"value($self, /)\n--\n\n"
"Return a copy as an object of its class, as recv() returns it. Imports the class.\n\n"
"Raises DecodeError if the class cannot be found or the object cannot be made, or if the record comes from loads(),\n"
"which takes the classes; and MemoryError.");
PyDoc_STRVAR(dir_doc,
"__dir__($self, /)\n--\n\n"
"Return the names of the attributes, the fields among them.");
PyDoc_STRVAR(reduce_doc,
"__reduce__($self, /)\n--\n\n"
"Support pickle and copy: the copy is an object of its class.");

PyMethodDef methods[] = {
    {"value", record_value, METH_NOARGS, value_doc},
    {"__dir__", record_dir, METH_NOARGS, dir_doc},
    {"__reduce__", record_reduce, METH_NOARGS, reduce_doc},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef properties[] = {
    {"__record_type__", get_type_name, nullptr, "str: the module and name of the class; of a builtin, the name.",
     nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(view_new)},
    {Py_tp_doc, const_cast<char*>(record_doc)},
    {Py_tp_dealloc, reinterpret_cast<void*>(view_dealloc)},
    {Py_tp_richcompare, reinterpret_cast<void*>(record_compare)},
    {Py_tp_hash, reinterpret_cast<void*>(view_hash)},
    {Py_tp_repr, reinterpret_cast<void*>(view_repr)},
    {Py_tp_getattro, reinterpret_cast<void*>(record_getattr)},
    {Py_tp_iter, reinterpret_cast<void*>(record_iterator)},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {Py_tp_members, view_members},
    {Py_mp_length, reinterpret_cast<void*>(record_length)},
    {Py_mp_subscript, reinterpret_cast<void*>(record_subscript)},
    {Py_nb_bool, reinterpret_cast<void*>(record_bool)},
    {0, nullptr},
};

}  // namespace

PyType_Spec record_spec = {"xichan.RecordView", sizeof(View), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, slots};

}  // namespace xichan::python
