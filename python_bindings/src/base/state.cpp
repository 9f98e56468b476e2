#include "base/state.h"

#include <utility>

#include "base/lending.h"
#include "base/plans.h"
#include "base/ref.h"

namespace xichan::python {

int ModuleState::traverse(visitproc visit, void* arg) const noexcept {
  // A collection frees objects whose loans were returned, too. They are not tracked by the collector.
  if (endpoints != nullptr) take_back_loans(endpoints->owner);
  Py_VISIT(sender_type);
  Py_VISIT(receiver_type);
  Py_VISIT(views_type);
  Py_VISIT(watch_type);
  Py_VISIT(ticket_type);
  Py_VISIT(state_watch_type);
  Py_VISIT(state_record_type);
  for (PyTypeObject* type : state_types) Py_VISIT(type);
  for (PyTypeObject* type : value_types) Py_VISIT(type);
  for (PyObject* record : records) Py_VISIT(record);
  Py_VISIT(queue_type);
  Py_VISIT(unpickle);
  Py_VISIT(unpickle_state);
  Py_VISIT(share);
  Py_VISIT(make_pickler);
  Py_VISIT(pickle_loads);
  Py_VISIT(idle_pickler);
  for (PyObject* part : dict_parts) Py_VISIT(part);
  for (PyObject* error : errors) Py_VISIT(error);
  for (PyObject* object : library.objects) Py_VISIT(object);
  Py_VISIT(record_types);
  return plans == nullptr ? 0 : plans->traverse(visit, arg);
}

void ModuleState::clear() noexcept {
  if (plans != nullptr) plans->clear();
  Py_CLEAR(unpickle);
  Py_CLEAR(unpickle_state);
  Py_CLEAR(share);
  Py_CLEAR(make_pickler);
  Py_CLEAR(pickle_loads);
  Py_CLEAR(idle_pickler);
  Py_CLEAR(record_types);
  short_texts.clear();
  places.clear();
  library.datetime = nullptr;
  for (PyObject*& object : library.objects) Py_CLEAR(object);
  for (PyObject*& part : dict_parts) Py_CLEAR(part);
}

void ModuleState::free() noexcept {
  clear();
  Py_CLEAR(sender_type);
  Py_CLEAR(receiver_type);
  Py_CLEAR(views_type);
  Py_CLEAR(watch_type);
  Py_CLEAR(ticket_type);
  Py_CLEAR(state_watch_type);
  Py_CLEAR(state_record_type);
  for (PyTypeObject*& type : state_types) Py_CLEAR(type);
  for (PyTypeObject*& type : value_types) Py_CLEAR(type);
  for (PyObject*& record : records) Py_CLEAR(record);
  Py_CLEAR(queue_type);
  for (PyObject*& error : errors) Py_CLEAR(error);
  delete std::exchange(plans, nullptr);
  InterpreterEndpoints::drop(std::exchange(endpoints, nullptr));
}

ModuleState* import_state() noexcept {
  const Ref module(PyImport_ImportModule("xichan._core"));  // sys.modules keeps it alive after this
  if (!module) return nullptr;
  ModuleState* state = PyModule_GetDef(module.get()) == &module_definition ? state_of(module.get()) : nullptr;
  if (state == nullptr && !PyErr_Occurred()) PyErr_SetString(PyExc_ImportError, "xichan._core has been replaced");
  return state;
}

}  // namespace xichan::python
