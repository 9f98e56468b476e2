#include "values/elements.h"

namespace xichan::python {

PyObject* elements_of(const ModuleState& state, PyObject* value) noexcept {
  if (PyTuple_CheckExact(value)) return value;
  if (!Py_IS_TYPE(value, reinterpret_cast<PyTypeObject*>(state.queue_type))) return nullptr;
  PyObject* parts = PyObject_GetAttr(value, state.parts_name);
  if (parts == nullptr) PyErr_Clear();
  Py_XDECREF(parts);  // the Queue holds a reference
  return parts != nullptr && PyTuple_CheckExact(parts) ? parts : nullptr;
}

}  // namespace xichan::python
