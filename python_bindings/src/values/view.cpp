#include "values/view.h"

#include "arena/arena.h"
#include "base/ref.h"

namespace xichan::python {

PyObject* new_view(ModuleState& state, ValueType type, const Block* block, const Cell& cell, Py_ssize_t step) noexcept {
  PyTypeObject* const python_type = state.type_of(type);
  const bool is_hashed = PyType_IS_GC(python_type);
  View* view =
      is_hashed ? reinterpret_cast<View*>(PyObject_GC_New(HashedView, python_type)) : PyObject_New(View, python_type);
  if (view == nullptr) return nullptr;
  view->weak_references = nullptr;
  view->state = &state;
  view->slice = {const_cast<Block*>(block), cell};  // the body is never written to through the view
  view->step = step;
  view->hash = -1;
  if (is_hashed) reinterpret_cast<HashedView*>(view)->keys = nullptr;
  Arena::retain(view->slice.block);
  return reinterpret_cast<PyObject*>(view);
}

void view_dealloc(PyObject* self) noexcept {
  PyTypeObject* type = Py_TYPE(self);
  if (as_view(self)->weak_references != nullptr) PyObject_ClearWeakRefs(self);
  Block* block = as_view(self)->slice.block;
  type->tp_free(self);
  Py_DECREF(type);
  Arena::release(block);  // not recursive, however many blocks this releases
}

PyObject* view_new(PyTypeObject* type, PyObject*, PyObject*) noexcept {
  return PyErr_Format(PyExc_TypeError, "cannot create '%s' instances; receive one with copy=False", type->tp_name);
}

PyObject* reduce_to(PyObject* callable, PyObject* argument) noexcept {
  return argument == nullptr ? nullptr : Py_BuildValue("O(N)", callable, argument);
}

PyObject* reduce_to_value(PyObject* value) noexcept {
  Ref owned(value);
  if (!owned) return nullptr;
  const Ref getter_type = import_attribute("operator", "itemgetter");
  const Ref getter(getter_type ? PyObject_CallFunction(getter_type.get(), "i", 0) : nullptr);
  return getter ? Py_BuildValue("O((N))", getter.get(), owned.release()) : nullptr;
}

PyMemberDef view_members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(View, weak_references), Py_READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

}  // namespace xichan::python
