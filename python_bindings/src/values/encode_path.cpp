#include "values/encode_path.h"

#include "base/errors.h"
#include "values/block_encoder.h"

namespace xichan::python {
namespace {

// A step from a container to an item of it.
struct Step {
  PyObject* owner;           // the value whose elements contain the item
  std::size_t container;     // the number of its elements among the containers
  std::uint64_t position;    // of the item in them
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
      const bool is_next = elements != nullptr && entries.size() < containers.size() && elements == containers[entries.size()];
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

// Returns the path to an item from the path to its container. Null with MemoryError set.
Ref describe_step(const Ref& path, const Step& step, PyObject* container) noexcept {
  static constexpr const char* slice_parts[] = {"start", "stop", "step"};
  switch (container_tag(step.owner)) {
    case Tag::dict:
    case Tag::frozendict: {
      const bool is_key = step.position % 2 == 0;
      const Ref key = describe_key(item_at(container, is_key ? step.position : step.position - 1));
      if (!key) return Ref();
      return Ref(is_key ? PyUnicode_FromFormat("(key %U of %U)", key.get(), path.get())
                        : PyUnicode_FromFormat("%U[%U]", path.get(), key.get()));
    }
    case Tag::set:
    case Tag::frozenset: return Ref(PyUnicode_FromFormat("%U{...}", path.get()));
    case Tag::slice: return Ref(PyUnicode_FromFormat("%U.%s", path.get(), slice_parts[step.position]));
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

// Raises NotShareableError with its attributes. The name may be null, with an exception set.
void raise_at(const ModuleState& state, const Ref& path, const Ref& name, PyObject* item, const char* why) noexcept {
  const Ref message(path && name ? PyUnicode_FromFormat("%U: %U %s", path.get(), name.get(), why) : nullptr);
  const Ref error(message ? PyObject_CallOneArg(state.error(ErrorClass::not_shareable), message.get()) : nullptr);
  if (error && PyObject_SetAttrString(error.get(), "path", path.get()) == 0 &&
      PyObject_SetAttrString(error.get(), "item", item) == 0) {
    PyErr_SetObject(state.error(ErrorClass::not_shareable), error.get());
  }
}

}  // namespace

Ref path_of(BlockEncoder& encoder, PyObject* item, std::size_t container, std::uint64_t position) noexcept {
  Worklist<Step> steps;
  if (encoder.root() != nullptr && !find_steps(encoder, {item, container, position}, steps)) {
    PyErr_NoMemory();
    return Ref();
  }
  return describe_steps(steps.size(), [&](const Ref& path, std::size_t i) noexcept {
    return describe_step(path, steps[i], encoder.containers()[steps[i].container]);
  });
}

void raise_not_shareable(const ModuleState& state, const Ref& path, PyObject* item, const char* why) noexcept {
  raise_at(state, path, Ref(path ? PyType_GetFullyQualifiedName(Py_TYPE(item)) : nullptr), item, why);
}

void raise_not_shareable(const ModuleState& state, const Steps& steps, const char* what, const char* why) noexcept {
  const Ref path = describe_steps(steps.size(), [&](const Ref& before, std::size_t i) noexcept {
    return Ref(PyUnicode_FromFormat("%U[%llu]", before.get(), static_cast<unsigned long long>(steps[i])));
  });
  raise_at(state, path, Ref(path ? PyUnicode_FromString(what) : nullptr), Py_None, why);
}

}  // namespace xichan::python
