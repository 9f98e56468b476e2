#include "values/encode_path.h"

#include "base/errors.h"
#include "base/ref.h"
#include "values/elements.h"

namespace xichan::python {
namespace {

struct Visit {
  PyObject* tuple;
  std::size_t parent;  // the visit whose tuple contains this one
  Py_ssize_t index;    // in that tuple
};

// A path longer than twice this is abbreviated to this many steps at each end.
constexpr std::size_t shown_steps = 16;

// Finds the steps from the root to element `index` of the `wanted`-th tuple, innermost first. False if there is no
// memory.
bool find_steps(const ModuleState& state, PyObject* root, std::size_t wanted, Py_ssize_t index, Steps& steps) noexcept {
  Worklist<Visit> visits;
  if (!visits.push({elements_of(state, root), 0, 0})) return false;
  for (std::size_t i = 0; i < wanted; ++i) {
    PyObject* tuple = visits[i].tuple;
    for (Py_ssize_t j = 0; j < PyTuple_GET_SIZE(tuple); ++j) {
      PyObject* elements = elements_of(state, PyTuple_GET_ITEM(tuple, j));
      const bool nested = elements != nullptr && PyTuple_GET_SIZE(elements) > 0;
      if (nested && !visits.push({elements, i, j})) return false;
    }
  }
  if (!steps.push(static_cast<std::uint64_t>(index))) return false;
  for (std::size_t i = wanted; i != 0; i = visits[i].parent) {
    if (!steps.push(static_cast<std::uint64_t>(visits[i].index))) return false;
  }
  return true;
}

PyObject* describe(const Steps& steps) noexcept {
  PyObject* path = PyUnicode_FromString("value");
  const std::size_t total = steps.size();
  for (std::size_t i = 0; i < total && path != nullptr; ++i) {
    if (total > 2 * shown_steps && i == shown_steps) {
      const std::size_t left_out = total - 2 * shown_steps;
      PyUnicode_AppendAndDel(&path, PyUnicode_FromFormat("[... %zu more ...]", left_out));
      i += left_out - 1;
    } else {
      PyUnicode_AppendAndDel(&path,
                             PyUnicode_FromFormat("[%llu]", static_cast<unsigned long long>(steps[total - 1 - i])));
    }
  }
  return path;
}

// The name may be null, with an exception set.
void raise_at(const ModuleState& state, const Steps& steps, const Ref& name, const char* why) noexcept {
  if (!name) return;
  const Ref path(describe(steps));
  if (path) PyErr_Format(state.error(ErrorClass::not_shareable), "%U: %U %s", path.get(), name.get(), why);
}

}  // namespace

void raise_not_shareable(const ModuleState& state, PyObject* root, PyObject* item, std::size_t tuple, Py_ssize_t index,
                         const char* why) noexcept {
  Steps steps;
  if (item != root && !find_steps(state, root, tuple, index, steps)) {
    PyErr_NoMemory();
    return;
  }
  raise_at(state, steps, Ref(PyType_GetFullyQualifiedName(Py_TYPE(item))), why);
}

void raise_not_shareable(const ModuleState& state, const Steps& steps, const char* what, const char* why) noexcept {
  raise_at(state, steps, Ref(PyUnicode_FromString(what)), why);
}

}  // namespace xichan::python
