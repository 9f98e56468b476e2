#include "values/encode_path.h"

#include "base/errors.h"
#include "base/plans.h"
#include "value/records.h"
#include "values/block_encoder.h"

namespace xichan::python {
namespace {

// A step from a container to an item of it.
struct Step {
  PyObject* owner;         // the value whose elements contain the item
  std::size_t container;   // the number of its elements among the containers
  std::uint64_t position;  // of the item in them
};

// A path longer than twice this is abbreviated to this many steps at each end.
constexpr std::size_t shown_steps = 16;
// A key is shown if its repr is not longer.
constexpr Py_ssize_t shown_key = 40;

// Finds the steps from the root to an item, innermost first. False without memory.
bool find_steps(BlockEncoder& encoder, Step last, Worklist<Step>& steps) noexcept {
  const auto& containers = encoder.containers();
  Worklist<Step> entries;  // how each container was reached
  if (!entries.push({encoder.root(), 0, 0})) return false;
  bool in_memory = true;
  for (std::size_t i = 0; i < last.container && in_memory; ++i) {
    std::uint64_t position = 0;
    visit_items(containers[i], container_tag(containers[i]), [&](PyObject* item) noexcept {
      PyObject* const elements = encoder.elements_of(item);
      // Containers are listed in the order in which they are met first.
      const bool is_next =
          elements != nullptr && entries.size() < containers.size() && elements == containers[entries.size()];
      if (is_next) in_memory &= entries.push({item, i, position});
      ++position;
      return in_memory;
    });
  }
  while (in_memory) {
    const Step entry = entries[last.container];
    last.owner = entry.owner;
    in_memory = steps.push(last);
    if (last.container == 0) return in_memory;
    last = entry;
  }
  return false;
}

// Returns the item at a position of a container, borrowed.
PyObject* item_at(PyObject* container, std::uint64_t position) noexcept {
  PyObject* found = nullptr;
  visit_items(container, container_tag(container), [&](PyObject* item) noexcept {
    found = item;
    return position-- != 0;
  });
  return found;
}

// Returns how a path shows a key of a dict: its repr, if it is short, else "...".
Ref describe_key(PyObject* key) noexcept {
  const bool is_plain = PyUnicode_CheckExact(key) || PyLong_CheckExact(key) || PyFloat_CheckExact(key) ||
                        PyBytes_CheckExact(key) || PyBool_Check(key) || key == Py_None;
  Ref text(is_plain ? PyObject_Repr(key) : nullptr);
  if (text && PyUnicode_GET_LENGTH(text.get()) <= shown_key) return text;
  PyErr_Clear();
  return Ref(PyUnicode_FromString("..."));
}

// Returns the name of a field of a record, borrowed; null if its type is a number, or names the type itself.
PyObject* field_name(PyObject* record, std::uint64_t position) noexcept {
  PyObject* const type = PyTuple_GET_SIZE(record) > 0 ? PyTuple_GET_ITEM(record, 0) : nullptr;
  if (type == nullptr || !PyTuple_CheckExact(type) || PyTuple_GET_SIZE(type) != 4) return nullptr;
  PyObject* const names = PyTuple_GET_ITEM(type, 3);
  const auto number = static_cast<Py_ssize_t>(position) - 1;
  const bool has_name = PyTuple_CheckExact(names) && number >= 0 && number < PyTuple_GET_SIZE(names) &&
                        PyUnicode_CheckExact(PyTuple_GET_ITEM(names, number));
  return has_name ? PyTuple_GET_ITEM(names, number) : nullptr;
}

// Returns true if a step leads from an exception to the field with this name.
bool is_of_exception(PyObject* record, std::uint64_t position, const char* field) noexcept {
  PyObject* const name = field_name(record, position);
  if (name == nullptr || PyUnicode_EqualToUTF8(name, field) == 0) return false;
  PyObject* const form = PyTuple_GET_ITEM(PyTuple_GET_ITEM(record, 0), 2);
  return PyUnicode_Check(form) && PyUnicode_EqualToUTF8(form, "exception") != 0;
}

// Returns true if a step leads from an object to the dict of its attributes.
bool is_to_attributes(const Step& step, PyObject* elements) noexcept {
  if (container_tag(step.owner) != Tag::empty || step.position == 0) return false;
  PyObject* const type = PyTuple_GET_ITEM(elements, 0);
  if (!PyLong_CheckExact(type)) return is_of_exception(elements, step.position, "attributes");
  const int number = PyLong_AsInt(type);  // of a standard type
  return number == static_cast<int>(StandardType::simple_namespace) ||
         number == static_cast<int>(StandardType::log_record);
}

// Returns the path to an item from the path to its container. Null with MemoryError set.
Ref describe_step(const Ref& path, const Step& step, PyObject* container, bool has_attributes) noexcept {
  static constexpr const char* slice_parts[] = {"start", "stop", "step"};
  switch (container_tag(step.owner)) {
    case Tag::dict:
    case Tag::frozendict: {
      const bool is_key = step.position % 2 == 0;
      PyObject* const found = item_at(container, is_key ? step.position : step.position - 1);
      if (has_attributes && !is_key && PyUnicode_CheckExact(found)) {
        return Ref(PyUnicode_FromFormat("%U.%U", path.get(), found));
      }
      const Ref key = describe_key(found);
      if (!key) return Ref();
      return Ref(is_key ? PyUnicode_FromFormat("(key %U of %U)", key.get(), path.get())
                        : PyUnicode_FromFormat("%U[%U]", path.get(), key.get()));
    }
    case Tag::set:
    case Tag::frozenset: return Ref(PyUnicode_FromFormat("%U{...}", path.get()));
    case Tag::slice: return Ref(PyUnicode_FromFormat("%U.%s", path.get(), slice_parts[step.position]));
    case Tag::empty:
      if (is_to_attributes(step, container)) return Ref(Py_NewRef(path.get()));
      if (is_of_exception(container, step.position, "cause")) {
        return Ref(PyUnicode_FromFormat("%U.__cause__", path.get()));
      }
      if (PyObject* name = field_name(container, step.position)) {
        return Ref(PyUnicode_FromFormat("%U.%U", path.get(), name));
      }
      return Ref(Py_NewRef(path.get()));  // the field of a standard type stands for its content
    default: break;
  }
  return Ref(PyUnicode_FromFormat("%U[%llu]", path.get(), static_cast<unsigned long long>(step.position)));
}

// Calls `append(path, i)` for each step, or for those at both ends of a long path. `append` returns the new path.
template <class Append>
Ref describe_steps(std::size_t total, Append append) noexcept {
  Ref path(PyUnicode_FromString("value"));
  for (std::size_t i = 0; i < total && path; ++i) {
    if (total > 2 * shown_steps && i == shown_steps) {
      const std::size_t left_out = total - 2 * shown_steps;
      path = Ref(PyUnicode_FromFormat("%U[... %zu more ...]", path.get(), left_out));
      i += left_out - 1;
    } else {
      path = append(path, total - 1 - i);
    }
  }
  return path;
}

// Raises NotShareableError with its attributes. The message may be null, with an exception set.
void raise_at(const ModuleState& state, const Ref& path, const Ref& message, PyObject* item) noexcept {
  const Ref error(message ? PyObject_CallOneArg(state.error(ErrorClass::not_shareable), message.get()) : nullptr);
  if (error && PyObject_SetAttrString(error.get(), "path", path.get()) == 0 &&
      PyObject_SetAttrString(error.get(), "item", item) == 0) {
    PyErr_SetObject(state.error(ErrorClass::not_shareable), error.get());
  }
}

// Returns the remedy for an object of a refused class, a str; else null without an exception.
Ref remedy_for(const ModuleState& state, PyObject* item) noexcept {
  const Plan* plan = state.plans->find(Py_TYPE(item));
  if (plan == nullptr || plan->kind != PlanKind::refused) return Ref();
  const Ref function(Py_NewRef(plan->detail));
  Ref remedy(PyObject_CallOneArg(function.get(), item));
  PyErr_Clear();
  return remedy && PyUnicode_Check(remedy.get()) && PyUnicode_GET_LENGTH(remedy.get()) > 0 ? std::move(remedy) : Ref();
}

}  // namespace

Ref path_of(BlockEncoder& encoder, PyObject* item, std::size_t container, std::uint64_t position) noexcept {
  Worklist<Step> steps;
  if (encoder.root() != nullptr && !find_steps(encoder, {item, container, position}, steps)) {
    PyErr_NoMemory();
    return Ref();
  }
  return describe_steps(steps.size(), [&](const Ref& path, std::size_t i) noexcept {
    const auto& containers = encoder.containers();
    const bool has_attributes =
        i + 1 < steps.size() && is_to_attributes(steps[i + 1], containers[steps[i + 1].container]);
    return describe_step(path, steps[i], containers[steps[i].container], has_attributes);
  });
}

void raise_not_shareable(const ModuleState& state, const Ref& path, PyObject* item, const char* why) noexcept {
  const Ref name(PyType_GetFullyQualifiedName(Py_TYPE(item)));
  raise_at(state, path, Ref(name ? PyUnicode_FromFormat("%U: %U %s", path.get(), name.get(), why) : nullptr), item);
}

void raise_with_remedy(const ModuleState& state, const Ref& path, PyObject* item) noexcept {
  const Ref remedy = remedy_for(state, item);
  if (!remedy) return raise_not_shareable(state, path, item, "is not shareable");
  const Ref name(PyType_GetFullyQualifiedName(Py_TYPE(item)));
  raise_at(
      state, path,
      Ref(name ? PyUnicode_FromFormat("%U: %U is not shareable; %U", path.get(), name.get(), remedy.get()) : nullptr),
      item);
}

void raise_refused(const ModuleState& state, const Ref& path, PyObject* item, PyObject* error) noexcept {
  const Ref why(PyObject_Str(error));
  raise_at(state, path, Ref(why ? PyUnicode_FromFormat("%U: %U", path.get(), why.get()) : nullptr), item);
}

void raise_not_shareable(const ModuleState& state, const Steps& steps, const char* what, const char* why) noexcept {
  const Ref path = describe_steps(steps.size(), [&](const Ref& before, std::size_t i) noexcept {
    return Ref(PyUnicode_FromFormat("%U[%llu]", before.get(), static_cast<unsigned long long>(steps[i])));
  });
  if (path) raise_at(state, path, Ref(PyUnicode_FromFormat("%U: %s %s", path.get(), what, why)), Py_None);
}

}  // namespace xichan::python
