#include "values/reduced.h"

#include "base/plans.h"
#include "values/arrays.h"
#include "values/standard_types.h"

namespace xichan::python {
namespace {

// Returns (start, stop, step). Reading them runs no Python code: they are members of a built-in type.
Ref parts_of_range(PyObject* range) noexcept {
  const Ref start = attribute(range, "start");
  const Ref stop = start ? attribute(range, "stop") : Ref();
  const Ref step = stop ? attribute(range, "step") : Ref();
  return Ref(step ? PyTuple_Pack(3, start.get(), stop.get(), step.get()) : nullptr);
}

// Returns a tuple of the type of a record and `count` fields to be filled in.
Ref new_record(const Plan& plan, Py_ssize_t count) noexcept {
  Ref record(PyTuple_New(count + 1));
  if (record) PyTuple_SET_ITEM(record.get(), 0, Py_NewRef(plan.reference));
  return record;
}

// Null without an exception if the number of items is not that of the names.
Ref read_items(const Plan& plan, PyObject* value) noexcept {
  constexpr Py_ssize_t names = 3;  // among the parts of a type
  const Py_ssize_t count = PyTuple_GET_SIZE(value);
  if (count != PyTuple_GET_SIZE(PyTuple_GET_ITEM(plan.reference, names))) return Ref();
  Ref record = new_record(plan, count);
  for (Py_ssize_t i = 0; i < count && record; ++i) {
    PyTuple_SET_ITEM(record.get(), i + 1, Py_NewRef(PyTuple_GET_ITEM(value, i)));
  }
  return record;
}

// Null without an exception if a slot is not set.
Ref read_slots(const Plan& plan, PyObject* value) noexcept {
  const Py_ssize_t count = PyTuple_GET_SIZE(plan.detail);
  Ref record = new_record(plan, count);
  for (Py_ssize_t i = 0; i < count && record; ++i) {
    PyObject* field = *reinterpret_cast<PyObject**>(reinterpret_cast<char*>(value) + plan.slots[i]);
    if (field == nullptr) return Ref();
    PyTuple_SET_ITEM(record.get(), i + 1, Py_NewRef(field));
  }
  return record;
}

// Null without an exception if the object does not have exactly the attributes of the plan, set in this order.
Ref read_attributes(const Plan& plan, PyObject* value) noexcept {
  const Py_ssize_t count = PyTuple_GET_SIZE(plan.detail);
  const Ref attributes(PyObject_GenericGetDict(value, nullptr));
  if (!attributes || PyDict_GET_SIZE(attributes.get()) != count) return Ref();
  // If the message has the dict too, its values have one reference, but occur twice. They may be counted already, as
  // objects that occur once.
  constexpr Py_ssize_t own_references = 2;  // of the object, and of this function
  if (Py_REFCNT(attributes.get()) > own_references) return Ref();
  Ref record = new_record(plan, count);
  if (!record) return Ref();
  Py_ssize_t at = 0;
  PyObject* name;
  PyObject* field;
  for (Py_ssize_t i = 0; PyDict_Next(attributes.get(), &at, &name, &field) != 0; ++i) {
    // The names of attributes are interned, as a rule. Comparing others could run Python code.
    if (i >= count || name != PyTuple_GET_ITEM(plan.detail, i)) return Ref();
    PyTuple_SET_ITEM(record.get(), i + 1, Py_NewRef(field));
  }
  return record;
}

// Null without an exception for a value of the enum that no member has, such as a combination of flags.
Ref read_member(const Plan& plan, PyObject* value) noexcept {
  const Ref attributes(PyObject_GenericGetDict(value, nullptr));
  if (!attributes || !PyDict_CheckExact(attributes.get())) return Ref();
  PyObject* wanted = PyTuple_GET_ITEM(plan.enum_names, 0);
  PyObject* key;
  PyObject* name;
  for (Py_ssize_t at = 0; PyDict_Next(attributes.get(), &at, &key, &name) != 0;) {
    if (key != wanted) continue;
    PyObject* members = _PyType_Lookup(plan.type, PyTuple_GET_ITEM(plan.enum_names, 1));
    const bool is_plain = PyUnicode_CheckExact(name) && members != nullptr && PyDict_CheckExact(members);
    if (!is_plain || PyDict_GetItemWithError(members, name) != value) return Ref();
    return Ref(PyTuple_Pack(2, plan.reference, name));
  }
  return Ref();
}

Ref reduce_as_planned(const Plan& plan, PyObject* value) noexcept {
  if (plan.enum_names != nullptr) return read_member(plan, value);
  if (plan.kind == PlanKind::items) return read_items(plan, value);
  if (plan.slots != nullptr) return read_slots(plan, value);
  return Py_TYPE(value)->tp_dictoffset != 0 ? read_attributes(plan, value) : Ref();
}

}  // namespace

Reduction reduce_natively(const ModuleState& state, PyObject* value, Ref& elements, bool is_first) noexcept {
  if (Py_IS_TYPE(value, &PyRange_Type)) {
    elements = parts_of_range(value);
  } else {
    const Plan* plan = state.plans->find_current(Py_TYPE(value), is_first);
    if (plan == nullptr || plan->kind == PlanKind::refused) {  // only some arrays are refused
      const Reduction reduction = reduce_array(value, elements);
      if (reduction != Reduction::refused) return reduction;
    }
    if (plan == nullptr && reduce_standard(state, value, elements)) {
      if (elements) return Reduction::done;
      PyErr_Clear();
      return Reduction::no_memory;
    }
    if (plan == nullptr || (plan->kind == PlanKind::reduce && plan->enum_names == nullptr)) {
      return Reduction::unprepared;
    }
    if (plan->kind == PlanKind::refused) return Reduction::refused;
    elements = reduce_as_planned(*plan, value);
  }
  if (elements) return Reduction::done;
  const bool no_memory = PyErr_Occurred() != nullptr && PyErr_ExceptionMatches(PyExc_MemoryError) != 0;
  PyErr_Clear();
  return no_memory ? Reduction::no_memory : Reduction::unprepared;
}

}  // namespace xichan::python
