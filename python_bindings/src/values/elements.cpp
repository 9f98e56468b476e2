#include "values/elements.h"

#include "base/handle.h"

namespace xichan::python {

bool are_queue_parts(const ModuleState& state, PyObject* object) noexcept {
  constexpr auto maxsize = static_cast<Py_ssize_t>(QueuePart::maxsize);
  if (!PyTuple_CheckExact(object)) return false;
  const Py_ssize_t length = PyTuple_GET_SIZE(object);
  if (length != maxsize + 1) return false;
  for (Py_ssize_t i = 0; i < length; ++i) {
    PyObject* part = PyTuple_GET_ITEM(object, i);
    const bool sends = i % 2 == 0;
    const bool fits = i == maxsize ? PyLong_CheckExact(part) != 0
                                   : Py_IS_TYPE(part, state.type_of(sends ? Side::sender : Side::receiver)) != 0;
    if (!fits) return false;
  }
  return true;
}

PyObject* queue_parts(const ModuleState& state, PyObject* value) noexcept {
  // Queue and its subclasses. The first check spares most values a walk through the bases of their type.
  if (!PyType_HasFeature(Py_TYPE(value), Py_TPFLAGS_HEAPTYPE) || state.queue_type == nullptr ||
      !PyObject_TypeCheck(value, state.queue_type)) {
    return nullptr;
  }
  PyObject* parts = queue_slot(state, value);
  return parts != nullptr && are_queue_parts(state, parts) ? parts : nullptr;
}

}  // namespace xichan::python
