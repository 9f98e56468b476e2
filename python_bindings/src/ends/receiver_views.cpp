#include "ends/receiver_views.h"

#include "ends/async.h"
#include "ends/receive.h"

namespace xichan::python {
namespace {

struct Views {
  PyObject_HEAD
  PyObject* receiver;
};

PyObject* receiver_of(PyObject* self) noexcept { return reinterpret_cast<Views*>(self)->receiver; }

void views_dealloc(PyObject* self) noexcept {
  PyTypeObject* type = Py_TYPE(self);
  Py_DECREF(receiver_of(self));
  type->tp_free(self);
  Py_DECREF(type);
}

PyObject* views_next(PyObject* self) noexcept {
  bool finished = false;
  return receive(as_handle(receiver_of(self)), indefinitely, false, &finished);
}

PyObject* views_anext(PyObject* self) noexcept { return receiver_anext_view(receiver_of(self)); }

PyType_Slot slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(views_dealloc)}, {Py_tp_iter, reinterpret_cast<void*>(PyObject_SelfIter)},
    {Py_tp_iternext, reinterpret_cast<void*>(views_next)},   {Py_am_aiter, reinterpret_cast<void*>(PyObject_SelfIter)},
    {Py_am_anext, reinterpret_cast<void*>(views_anext)},     {0, nullptr},
};

}  // namespace

PyObject* receiver_views(PyObject* self, PyObject*) noexcept {
  if (!check_open(as_handle(self))) return nullptr;
  Views* views = PyObject_New(Views, as_handle(self)->state->views_type);
  if (views != nullptr) views->receiver = Py_NewRef(self);
  return reinterpret_cast<PyObject*>(views);
}

PyType_Spec views_spec = {"xichan._core._Views", sizeof(Views), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};

}  // namespace xichan::python
