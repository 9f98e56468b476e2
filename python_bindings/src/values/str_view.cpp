// xichan.StrView: a str whose characters stay in their block.
//
// The object is a str of the kind that subclasses of str have: a header with the address of its characters, which
// CPython frees by itself, and which are not its own here. So the addresses are taken back before CPython sees the
// object go. The characters never change, end in a NUL of their width, and are in the narrowest form: what CPython
// asks of a str (S1). Its hash and UTF-8 form belong to the object, and so to the interpreter.
#include <cstring>

#include "arena/arena.h"
#include "values/decode.h"
#include "values/view.h"

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
  Block* block = view->sight.block;
  PyUnicode_Type.tp_dealloc(self);
  Py_DECREF(type);
  Arena::release(block);
}

PyObject* get_value(PyObject* self, PyObject*) noexcept {
  const BlockSlice& sight = as_str(self)->sight;
  auto* state = static_cast<ModuleState*>(PyType_GetModuleState(Py_TYPE(self)));
  return decode_at(*state, sight.reader(), sight.cell, true);
}

PyObject* str_reduce(PyObject* self, PyObject*) noexcept {
  return reduce_to(reinterpret_cast<PyObject*>(&PyUnicode_Type), get_value(self, nullptr));
}

PyDoc_STRVAR(str_doc,
"A str whose characters stay where they lie in the memory of the process; got by receiving with copy=False.\n\n"
"Serves wherever a str does; str(), slices and concatenation give plain ones. It keeps the memory of the whole message\n"
"it came in.");

PyDoc_STRVAR(value_doc, "value($self, /)\n--\n\nA plain str, as recv() would have given it.");
PyDoc_STRVAR(reduce_doc, "__reduce__($self, /)\n--\n\nPickled and copied as a plain str.");

PyMethodDef methods[] = {
    {"value", get_value, METH_NOARGS, value_doc},
    {"__reduce__", str_reduce, METH_NOARGS, reduce_doc},
    {nullptr, nullptr, 0, nullptr},
};

PyMemberDef members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(StrView, weak_references), Py_READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_doc, const_cast<char*>(str_doc)},
    {Py_tp_dealloc, reinterpret_cast<void*>(str_dealloc)},
    {Py_tp_methods, methods},
    {Py_tp_members, members},
    {0, nullptr},
};

}  // namespace

PyObject* new_str(ModuleState& state, const CellRef& place) noexcept {
  StrView* view = PyObject_New(StrView, state.type_of(ValueType::str));
  if (view == nullptr) return nullptr;
  // All that follows the head of every object.
  std::memset(reinterpret_cast<char*>(view) + sizeof(PyObject), 0, sizeof(StrView) - sizeof(PyObject));
  const TextKind kind = text_kind(place.cell->tag());
  PyCompactUnicodeObject& compact = view->text._base;
  compact._base.length = static_cast<Py_ssize_t>(place.cell->length());
  compact._base.hash = -1;
  compact._base.state.kind = text_width(kind);
  compact._base.state.ascii = kind == TextKind::ascii;
  view->text.data.any = const_cast<void*>(place.reader.payload(*place.cell));  // nobody writes to it: S1
  if (kind == TextKind::ascii) {
    compact.utf8 = static_cast<char*>(view->text.data.any);
    compact.utf8_length = compact._base.length;
  }
  view->sight = {const_cast<Block*>(place.reader.block()), *place.cell};
  Arena::retain(view->sight.block);
  return reinterpret_cast<PyObject*>(view);
}

PyType_Spec str_spec = {"xichan.StrView", sizeof(StrView), 0,
                        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};

}  // namespace xichan::python
