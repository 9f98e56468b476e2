#include "base/plans.h"

#include <cstddef>
#include <cstdlib>
#include <new>

#include "base/ref.h"

namespace xichan::python {

using namespace internal;
namespace {

bool is_dead(PyObject* weak_reference) noexcept {
  PyObject* object = nullptr;
  PyWeakref_GetRef(weak_reference, &object);
  if (object == nullptr) return true;
  Py_DECREF(object);
  return false;
}

// Returns the offsets of the slots with these names, to be freed; null, without an exception, if one is not a slot.
Py_ssize_t* offsets_of(PyTypeObject* type, PyObject* names) noexcept {
  const Py_ssize_t count = PyTuple_GET_SIZE(names);
  auto* offsets = static_cast<Py_ssize_t*>(std::calloc(static_cast<std::size_t>(count) + 1, sizeof(Py_ssize_t)));
  for (Py_ssize_t i = 0; i < count && offsets != nullptr; ++i) {
    PyObject* slot = _PyType_Lookup(type, PyTuple_GET_ITEM(names, i));
    // The slot of another class has an offset in the objects of that class.
    const bool is_own = slot != nullptr && Py_IS_TYPE(slot, &PyMemberDescr_Type) &&
                        PyType_IsSubtype(type, reinterpret_cast<PyDescrObject*>(slot)->d_type) != 0;
    const PyMemberDef* member = is_own ? reinterpret_cast<PyMemberDescrObject*>(slot)->d_member : nullptr;
    if (member == nullptr || member->type != Py_T_OBJECT_EX || (member->flags & Py_RELATIVE_OFFSET) != 0) {
      std::free(offsets);
      return nullptr;
    }
    offsets[i] = member->offset;
  }
  return offsets;
}

// Returns true if the members of an enum are found by their names without running Python code.
bool has_plain_names(PyTypeObject* type, PyObject* member_map) noexcept {
  PyObject* members = _PyType_Lookup(type, member_map);
  if (members == nullptr || !PyDict_CheckExact(members)) return false;
  PyObject* name;
  for (Py_ssize_t at = 0; PyDict_Next(members, &at, &name, nullptr) != 0;) {
    if (!PyUnicode_CheckExact(name)) return false;
  }
  return true;
}

// Returns the `enum_names` of a plan, null also with an exception set.
PyObject* enum_names_of(PyTypeObject* type, PyObject* reference) noexcept {
  if (!PyTuple_CheckExact(reference) || PyTuple_GET_SIZE(reference) != 4) return nullptr;
  PyObject* form = PyTuple_GET_ITEM(reference, 2);
  if (!PyUnicode_Check(form) || PyUnicode_EqualToUTF8(form, "enum") == 0) return nullptr;
  const Ref name(PyUnicode_InternFromString("_name_")), members(PyUnicode_InternFromString("_member_map_"));
  if (!name || !members || !has_plain_names(type, members.get())) return nullptr;
  return PyTuple_Pack(2, name.get(), members.get());
}

// Returns the path of a class of Python: a tuple. Null with an exception set, or without one for any other type.
Ref path_of(PyTypeObject* type) noexcept {
  if (!PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE)) return Ref();
  Ref module(PyObject_GetAttrString(reinterpret_cast<PyObject*>(type), "__module__"));
  const Ref name(module ? PyType_GetQualName(type) : nullptr);
  const Ref dot(name ? PyUnicode_FromString(".") : nullptr);
  const Ref names(dot ? PyUnicode_Split(name.get(), dot.get(), -1) : nullptr);
  if (!names || !PyUnicode_CheckExact(module.get())) return Ref();
  const Py_ssize_t count = PyList_GET_SIZE(names.get());
  Ref path(PyTuple_New(count + 1));
  for (Py_ssize_t i = 0; i <= count && path; ++i) {
    PyObject* part = i == 0 ? module.release() : Py_NewRef(PyList_GET_ITEM(names.get(), i - 1));
    PyUnicode_InternInPlace(&part);
    PyTuple_SET_ITEM(path.get(), i, part);
  }
  return path;
}

// Reads what plan() returned. Moves the references that it keeps into `plan`. False with an exception set.
bool read_plan(PyTypeObject* type, PyObject* found, Plan& plan) noexcept {
  int kind;
  PyObject* reference;
  PyObject* detail;
  if (!PyTuple_Check(found) || PyArg_ParseTuple(found, "iOO;xichan: invalid plan", &kind, &reference, &detail) == 0) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_SystemError, "xichan: expected a plan, a tuple");
    return false;
  }
  const auto last = static_cast<int>(PlanKind::refused);
  const auto attributes = static_cast<int>(PlanKind::attributes);
  if (kind < 0 || kind > last || (kind == attributes && !PyTuple_CheckExact(detail))) {
    PyErr_SetString(PyExc_SystemError, "xichan: invalid plan");
    return false;
  }
  plan.kind = static_cast<PlanKind>(kind);
  plan.slots = plan.kind == PlanKind::attributes && type->tp_dictoffset == 0 ? offsets_of(type, detail) : nullptr;
  plan.enum_names = plan.kind == PlanKind::reduce ? enum_names_of(type, reference) : nullptr;
  plan.type = type;
  plan.cls = PyWeakref_NewRef(reinterpret_cast<PyObject*>(type), nullptr);
  if (plan.cls == nullptr || (plan.enum_names == nullptr && PyErr_Occurred())) {
    std::free(plan.slots);
    Py_XDECREF(plan.enum_names);
    Py_XDECREF(plan.cls);
    return false;
  }
  plan.reference = Py_NewRef(reference);
  plan.detail = Py_NewRef(detail);
  // A class that only Python code finds, such as the __getattr__ of a module, is not looked up again.
  plan.path = path_of(type).release();
  if (PyErr_Occurred()) {
    plan.release();
    return false;
  }
  if (!plan.is_current()) Py_CLEAR(plan.path);
  return true;
}

}  // namespace

void Plan::release() noexcept {
  std::free(slots);
  Py_DECREF(cls);
  Py_DECREF(reference);
  Py_DECREF(detail);
  Py_XDECREF(enum_names);
  Py_XDECREF(path);
}

bool Plan::is_current() const noexcept {
  if (path == nullptr) return true;
  PyObject* const module = PyDict_GetItemWithError(PyImport_GetModuleDict(), PyTuple_GET_ITEM(path, 0));
  PyObject* found = nullptr;
  if (module != nullptr && PyModule_Check(module)) {
    found = PyDict_GetItemWithError(PyModule_GetDict(module), PyTuple_GET_ITEM(path, 1));
  }
  const Py_ssize_t count = PyTuple_GET_SIZE(path);
  for (Py_ssize_t i = 2; i < count && found != nullptr; ++i) {  // of a class in a class
    found = PyType_Check(found) ? _PyType_Lookup(reinterpret_cast<PyTypeObject*>(found), PyTuple_GET_ITEM(path, i))
                                : nullptr;
  }
  if (found == reinterpret_cast<PyObject*>(type)) return true;
  PyErr_Clear();
  return false;
}

const Plan* Plans::find(PyTypeObject* type) noexcept {
  const std::size_t* number = numbers_.find(type);
  if (number == nullptr || *number == 0) return nullptr;
  const Plan& plan = plans_[*number - 1];
  return is_dead(plan.cls) ? nullptr : &plan;
}

const Plan* Plans::find_current(PyTypeObject* type, bool is_first) noexcept {
  const Plan* plan = find(type);
  if (plan == nullptr || (type == checked_ && !is_first)) return plan;
  checked_ = type;
  if (plan->is_current()) return plan;
  forget(type);
  return nullptr;
}

const Plan* Plans::make(PyTypeObject* type) noexcept {
  if (const Plan* known = find(type)) return known;
  const Ref function = import_attribute("xichan._records", "plan");
  const Ref found(function ? PyObject_CallOneArg(function.get(), reinterpret_cast<PyObject*>(type)) : nullptr);
  Plan plan;
  return found && read_plan(type, found.get(), plan) ? add(type, plan) : nullptr;
}

const Plan* Plans::add(PyTypeObject* type, const Plan& plan) noexcept {
  if (plans_.size() >= next_drop_) drop_dead();
  std::size_t* const number = plans_.reserve(plans_.size() + 1) ? numbers_.insert(type) : nullptr;
  if (number == nullptr) {
    Plan(plan).release();
    PyErr_NoMemory();
    return nullptr;
  }
  if (*number == 0) {  // new, or discarded
    (void)plans_.push(plan);
    *number = plans_.size();
    return plans_.end() - 1;
  }
  // Of a class that was at this address before, or made by another thread meanwhile.
  Plan& place = plans_.begin()[*number - 1];
  Plan old = std::exchange(place, plan);
  old.release();
  return find(type);
}

void Plans::forget(PyTypeObject* type) noexcept {
  if (std::size_t* number = numbers_.find(type)) *number = 0;
}

void Plans::drop_dead() noexcept {
  Worklist<Plan> dropped;  // releasing them may run Python code, which may use this object
  if (!dropped.reserve(plans_.size())) return;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    const Plan plan = plans_[i];
    std::size_t* const number = numbers_.find(plan.type);
    if (number == nullptr || *number != i + 1 || is_dead(plan.cls)) {
      (void)dropped.push(plan);
    } else {
      plans_.begin()[kept++] = plan;
    }
  }
  while (plans_.size() > kept) plans_.pop();
  numbers_.clear();
  next_drop_ = 2 * kept + 64;
  for (std::size_t i = 0; i < kept; ++i) {
    if (std::size_t* number = numbers_.insert(plans_[i].type)) *number = i + 1;
  }
  for (Plan& plan : dropped) plan.release();
}

int Plans::traverse(visitproc visit, void* arg) noexcept {
  for (const Plan& plan : plans_) {
    Py_VISIT(plan.cls);
    Py_VISIT(plan.reference);
    Py_VISIT(plan.detail);
    Py_VISIT(plan.enum_names);
    Py_VISIT(plan.path);
  }
  return 0;
}

void Plans::clear() noexcept {
  numbers_.clear();
  while (!plans_.empty()) plans_.pop().release();
}

}  // namespace xichan::python
