// The object has the layout of an instance of a subclass of str: a header with the address of its characters. CPython
// would free those characters, which belong to the block, so the deallocator clears the address first.
//
// Invariants
//   S1  The characters never change, end in a NUL of their width and have the narrowest width that fits: CPython relies
//       on this for every str. The hash and the UTF-8 form belong to the object, and so to its interpreter.
#include "values/str_view.h"

#include <cstring>

#include "arena/arena.h"
#include "base/ref.h"
#include "values/decode_leaf.h"

namespace xichan::python {
namespace {

StrView* as_str(PyObject* object) noexcept { return reinterpret_cast<StrView*>(object); }

void str_dealloc(PyObject* self) noexcept {
  StrView* view = as_str(self);
  PyTypeObject* type = Py_TYPE(self);
  if (view->weak_references != nullptr) PyObject_ClearWeakRefs(self);
  PyCompactUnicodeObject& compact = view->text._base;
  if (compact.utf8 != nullptr && compact.utf8 != view->text.data.any) PyMem_Free(compact.utf8);
  compact.utf8 = nullptr;
  compact.utf8_length = 0;
  view->text.data.any = nullptr;
  Block* block = view->slice.block;
  PyUnicode_Type.tp_dealloc(self);
  Py_DECREF(type);
  Arena::release(block);
}

PyObject* get_value(PyObject* self, PyObject*) noexcept {
  const BlockSlice& slice = as_str(self)->slice;
  return make_large_payload(slice.reader().payload(slice.cell), slice.cell);
}

PyObject* str_reduce(PyObject* self, PyObject*) noexcept {
  return reduce_to(reinterpret_cast<PyObject*>(&PyUnicode_Type), get_value(self, nullptr));
}

// Operations of which CPython returns the str itself, if it need not change, even one of a subclass. These return a
// plain str like every other operation.
PyObject* call_on_copy(const char* method, PyObject* self, PyObject* argument) noexcept {
  const Ref value(get_value(self, nullptr));
  return value ? PyObject_CallMethod(value.get(), method, "(O)", argument) : nullptr;
}

PyObject* str_format_spec(PyObject* self, PyObject* spec) noexcept { return call_on_copy("__format__", self, spec); }
PyObject* str_format_map(PyObject* self, PyObject* mapping) noexcept {
  return call_on_copy("format_map", self, mapping);
}
PyObject* str_partition(PyObject* self, PyObject* sep) noexcept { return call_on_copy("partition", self, sep); }
PyObject* str_rpartition(PyObject* self, PyObject* sep) noexcept { return call_on_copy("rpartition", self, sep); }

PyObject* str_format(PyObject* self, PyObject* args, PyObject* keywords) noexcept {
  const Ref value(get_value(self, nullptr));
  const Ref method(value ? PyObject_GetAttrString(value.get(), "format") : nullptr);
  return method ? PyObject_Call(method.get(), args, keywords) : nullptr;
}

PyObject* str_modulo(PyObject* left, PyObject* right) noexcept {
  const PyNumberMethods* methods = Py_TYPE(left)->tp_as_number;
  if (methods == nullptr || methods->nb_remainder != str_modulo) Py_RETURN_NOTIMPLEMENTED;
  const Ref value(get_value(left, nullptr));
  return value ? PyNumber_Remainder(value.get(), right) : nullptr;
}

PyDoc_STRVAR(str_doc,
"A str whose characters are read in place, in shared memory of the process. Received with copy=False.\n\n"
"A StrView is a str and works wherever a str does; str(), slices and concatenation return a plain str. It keeps\n"
"the memory of the whole message that it was received in. Immutable, so any thread of its interpreter may use it.");

PyDoc_STRVAR(value_doc,
"value($self, /)\n--\n\n"
"Return a copy as a plain str, as recv() returns it. Raises MemoryError.");
PyDoc_STRVAR(format_spec_doc,
"__format__($self, format_spec, /)\n--\n\n"
"Return a formatted version as a plain str.");
PyDoc_STRVAR(format_doc,
"format($self, /, *args, **kwargs)\n--\n\n"
"Return a plain str with the fields in braces replaced, as str.format() does.");
PyDoc_STRVAR(format_map_doc,
"format_map($self, mapping, /)\n--\n\n"
"Return a plain str with the fields in braces replaced, as str.format_map() does.");
PyDoc_STRVAR(partition_doc,
"partition($self, sep, /)\n--\n\n"
"Return the parts before, of and after the first separator, as plain str.");
PyDoc_STRVAR(rpartition_doc,
"rpartition($self, sep, /)\n--\n\n"
"Return the parts before, of and after the last separator, as plain str.");
PyDoc_STRVAR(reduce_doc,
"__reduce__($self, /)\n--\n\n"
"Support pickle and copy: the copy is a plain str.");

PyMethodDef methods[] = {
    {"value", get_value, METH_NOARGS, value_doc},
    {"__format__", str_format_spec, METH_O, format_spec_doc},
    {"format", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(str_format)), METH_VARARGS | METH_KEYWORDS,
     format_doc},
    {"format_map", str_format_map, METH_O, format_map_doc},
    {"partition", str_partition, METH_O, partition_doc},
    {"rpartition", str_rpartition, METH_O, rpartition_doc},
    {"__reduce__", str_reduce, METH_NOARGS, reduce_doc},
    {nullptr, nullptr, 0, nullptr},
};

PyMemberDef members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(StrView, weak_references), Py_READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(view_new)},
    {Py_tp_doc, const_cast<char*>(str_doc)},
    {Py_tp_dealloc, reinterpret_cast<void*>(str_dealloc)},
    {Py_tp_methods, methods},
    {Py_tp_members, members},
    {Py_nb_remainder, reinterpret_cast<void*>(str_modulo)},
    {0, nullptr},
};

}  // namespace

PyObject* new_str_view(ModuleState& state, const CellRef& place) noexcept {
  StrView* view = PyObject_New(StrView, state.type_of(ValueType::str));
  if (view == nullptr) return nullptr;
  // Everything after the header that PyObject_New has initialized.
  std::memset(reinterpret_cast<char*>(view) + sizeof(PyObject), 0, sizeof(StrView) - sizeof(PyObject));
  const TextKind kind = text_kind(place.cell->tag());
  PyCompactUnicodeObject& compact = view->text._base;
  compact._base.length = static_cast<Py_ssize_t>(place.cell->length());
  compact._base.hash = -1;
  compact._base.state.kind = text_width(kind);
  compact._base.state.ascii = kind == TextKind::ascii;
  view->text.data.any = const_cast<void*>(place.reader.payload(*place.cell));  // never written to: S1
  if (kind == TextKind::ascii) {
    compact.utf8 = static_cast<char*>(view->text.data.any);
    compact.utf8_length = compact._base.length;
  }
  view->slice = {const_cast<Block*>(place.reader.block()), *place.cell};
  Arena::retain(view->slice.block);
  return reinterpret_cast<PyObject*>(view);
}

PyType_Spec str_spec = {"xichan.StrView", sizeof(StrView), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, slots};

}  // namespace xichan::python
