#include "embed/traced_task.h"

#include "base/ref.h"
#include "ends/trace.h"

namespace xichan::python {

using namespace internal;

namespace {

Ref optional_attribute(PyObject* object, const char* name) noexcept {
  PyObject* found = nullptr;
  if (PyObject_GetOptionalAttrString(object, name, &found) < 0) PyErr_Clear();
  return Ref(found);
}

// Returns the function of a task. A worker may run it by `call(functions, number, args, kwargs)`: see pool/worker.py.
// Null if it came with the task alone.
Ref find_function(PyObject* function, PyObject* args) noexcept {
  if (PyTuple_GET_SIZE(args) != 4 || !PyDict_CheckExact(PyTuple_GET_ITEM(args, 0))) return Ref(Py_NewRef(function));
  PyObject* const number = PyTuple_GET_ITEM(args, 1);
  return Ref(PyLong_CheckExact(number) ? Py_XNewRef(PyDict_GetItemWithError(PyTuple_GET_ITEM(args, 0), number))
                                       : nullptr);
}

// Returns the qualified name of a function, or of the one that a partial object has as its first argument.
Ref name_of(PyObject* function) noexcept {
  Ref name = optional_attribute(function, "__qualname__");
  if (name) return name;
  const Ref args = optional_attribute(function, "args");
  if (!args || !PyTuple_CheckExact(args.get()) || PyTuple_GET_SIZE(args.get()) == 0) return Ref();
  return optional_attribute(PyTuple_GET_ITEM(args.get(), 0), "__qualname__");
}

}  // namespace

void TracedTask::describe(PyObject* function, PyObject* args, const WorkerRow& row) noexcept {
  PyObject* const raised = PyErr_GetRaisedException();
  Trace::set_interpreter(PyInterpreterState_GetID(PyInterpreterState_Get()));
  name_worker(row);
  if (raised != nullptr) span_.set_error(Trace::text(Py_TYPE(raised)->tp_name));
  const Ref found = find_function(function, args);
  const Ref name = found ? name_of(found.get()) : Ref();
  Py_ssize_t size = 0;
  const char* text = name && PyUnicode_CheckExact(name.get()) ? PyUnicode_AsUTF8AndSize(name.get(), &size) : nullptr;
  if (text != nullptr) span_.set_subject(Trace::text({text, static_cast<std::size_t>(size)}));
  PyErr_Clear();
  PyErr_SetRaisedException(raised);
}

}  // namespace xichan::python
