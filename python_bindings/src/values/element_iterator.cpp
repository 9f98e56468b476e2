#include "values/element_iterator.h"

#include "base/ref.h"
#include "values/decode.h"
#include "values/hashed_view.h"

namespace xichan::python {
namespace {

struct ElementIterator {
  PyObject_HEAD
  PyObject* view;
  DictPart part;
  bool reversed;
  Py_ssize_t left;  // entries
};

ElementIterator* as_iterator(PyObject* object) noexcept { return reinterpret_cast<ElementIterator*>(object); }

void iterator_dealloc(PyObject* self) noexcept {
  PyTypeObject* type = Py_TYPE(self);
  Py_DECREF(as_iterator(self)->view);
  type->tp_free(self);
  Py_DECREF(type);
}

PyObject* iterator_next(PyObject* self) noexcept {
  ElementIterator* iterator = as_iterator(self);
  if (iterator->left == 0) return nullptr;
  const View* view = as_view(iterator->view);
  const Cell& container = view->slice.cell;
  --iterator->left;
  const Py_ssize_t entry = iterator->reversed ? iterator->left : entry_count(view) - 1 - iterator->left;
  const BlockReader reader = view->slice.reader();
  const Cell* cells = reader.elements(container).data() + entry * container.entry_cells();
  const auto make = [&](unsigned which) noexcept { return decode_at(*view->state, reader, cells[which], false); };
  if (iterator->part != DictPart::items) return make(iterator->part == DictPart::values);
  Ref key(make(0));
  Ref value(key ? make(1) : nullptr);
  return value ? PyTuple_Pack(2, key.get(), value.get()) : nullptr;
}

PyObject* length_hint(PyObject* self, PyObject*) noexcept { return PyLong_FromSsize_t(as_iterator(self)->left); }

PyDoc_STRVAR(length_hint_doc,
"__length_hint__($self, /)\n--\n\n"
"Return the number of elements that are left.");

PyMethodDef methods[] = {
    {"__length_hint__", length_hint, METH_NOARGS, length_hint_doc},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(iterator_dealloc)},
    {Py_tp_iter, reinterpret_cast<void*>(PyObject_SelfIter)},
    {Py_tp_iternext, reinterpret_cast<void*>(iterator_next)},
    {Py_tp_methods, methods},
    {0, nullptr},
};

}  // namespace

PyObject* new_element_iterator(PyObject* hashed_view, DictPart part, bool reversed) noexcept {
  const View* view = as_view(hashed_view);
  ElementIterator* iterator = PyObject_New(ElementIterator, view->state->type_of(ValueType::elements));
  if (iterator == nullptr) return nullptr;
  iterator->view = Py_NewRef(hashed_view);
  iterator->part = part;
  iterator->reversed = reversed;
  iterator->left = entry_count(view);
  return reinterpret_cast<PyObject*>(iterator);
}

PyType_Spec elements_spec = {"xichan._core._Elements", sizeof(ElementIterator), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};

}  // namespace xichan::python
