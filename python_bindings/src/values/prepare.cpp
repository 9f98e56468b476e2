#include "values/prepare.h"

#include "base/handle.h"
#include "base/plans.h"
#include "base/state_handle.h"
#include "values/arrays.h"
#include "values/containers.h"
#include "values/elements.h"
#include "values/encode_short.h"
#include "values/encode_view.h"
#include "values/movable.h"

namespace xichan::python {
namespace {

struct Pending {
  PyObject* object;  // owned
  std::size_t depth;
};

// The limit for encoders that return objects which need an encoder too: one that always does so would never end.
constexpr std::size_t largest_depth = 100'000;

/// Walks depth first. The containers are borrowed from the value, so no Python code runs while `todo_` is in use.
class Preparation {
 public:
  Preparation(const ModuleState& state, ReducedValues& reduced) noexcept : state_(state), reduced_(reduced) {}
  ~Preparation() {
    for (const Pending& pending : pending_) Py_DECREF(pending.object);
  }

  bool run(PyObject* root) noexcept {
    if (!look(root, 0) || !discover(0)) return no_memory();
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      const auto [object, depth] = pending_[i];
      if (reduced_.find(object) != nullptr || reduced_.refusal_of(object) != nullptr) continue;
      Ref elements;
      if (!reduce(object, elements)) return false;
      if (!elements) continue;
      if (depth == largest_depth) {
        PyErr_Format(PyExc_RecursionError,
                     "the encoded value of %T contains objects to encode, nested more than %zu deep", object, depth);
        return false;
      }
      const Reduced* added = reduced_.add(object, std::move(elements));
      if (added == nullptr || !push(added->elements) || !discover(depth + 1)) return no_memory();
    }
    return true;
  }

 private:
  // Finds objects to reduce in the containers of `todo_`. False without memory.
  bool discover(std::size_t depth) noexcept {
    bool in_memory = true;
    while (!todo_.empty() && in_memory) {
      PyObject* const container = todo_.pop();
      visit_items(container, container_tag(container), [&](PyObject* item) noexcept {
        return in_memory = encode_short(item, nullptr) || look(item, depth);
      });
    }
    return in_memory;
  }

  bool look(PyObject* item, std::size_t depth) noexcept {
    if (container_tag(item) != Tag::empty) return push(item);
    if (PyUnicode_CheckExact(item) || PyBytes_CheckExact(item) || PyLong_CheckExact(item)) return true;
    if (array_content(item) != nullptr) return true;
    if (is_handle(state_, item) || is_state_handle(item) || is_of_movable_type(state_, item) ||
        queue_parts(state_, item) != nullptr || encoding_of(state_, item).kind != ViewEncoding::ViewKind::none) {
      return true;
    }
    if (const Reduced* reduced = reduced_.find(item)) return push(reduced->elements);
    Ref elements;
    switch (reduce_natively(state_, item, elements, reduced_.empty())) {
      case Reduction::done: {
        const Reduced* added = reduced_.add(item, std::move(elements));
        return added != nullptr && push(added->elements);
      }
      case Reduction::unprepared:
        if (!pending_.push({item, depth})) return false;
        Py_INCREF(item);
        return true;
      case Reduction::refused: return true;  // encoding raises the error
      case Reduction::no_memory: break;
    }
    return false;
  }

  // Puts a container on the list if it was not visited yet.
  bool push(PyObject* container) noexcept {
    bool* const is_visited = visited_.insert(container);
    if (is_visited == nullptr) return false;
    return std::exchange(*is_visited, true) || todo_.push(container);
  }

  // Sets `elements`, or leaves it empty if the object is refused. False with an exception set.
  bool reduce(PyObject* object, Ref& elements) noexcept {
    if (reduce_array(object, elements) == Reduction::unprepared) {
      Ref refusal;
      if (!reduce_structured(object, elements, refusal)) return false;
      return elements || reduced_.refuse(object, std::move(refusal)) || no_memory();
    }
    if (elements) return true;
    const Plan* plan = state_.plans->make(Py_TYPE(object));
    if (plan == nullptr) return !PyErr_Occurred();
    if (plan->kind == PlanKind::refused) return true;
    if (plan->kind == PlanKind::reduce) {
      const Ref function(Py_NewRef(plan->detail));
      return call(function, object, elements);
    }
    if (reduce_natively(state_, object, elements, true) == Reduction::done) return true;
    const Ref function = import_attribute("xichan._records", "reduce_attributes");
    return function && call(function, object, elements);
  }

  bool call(const Ref& function, PyObject* object, Ref& elements) noexcept {
    elements = Ref(PyObject_CallOneArg(function.get(), object));
    if (!elements) {
      if (!PyErr_ExceptionMatches(state_.error(ErrorClass::not_shareable))) return false;
      return reduced_.refuse(object, Ref(PyErr_GetRaisedException())) || no_memory();
    }
    const bool is_record = PyTuple_CheckExact(elements.get()) && PyTuple_GET_SIZE(elements.get()) > 0;
    PyObject* const type = is_record ? PyTuple_GET_ITEM(elements.get(), 0) : nullptr;
    if (type != nullptr && (PyTuple_CheckExact(type) || PyLong_CheckExact(type))) return true;
    PyErr_Format(PyExc_TypeError, "expected a tuple of a record type and fields for an object of %T, got %T", object,
                 elements.get());
    return false;
  }

  static bool no_memory() noexcept {
    PyErr_NoMemory();
    return false;
  }

  const ModuleState& state_;
  ReducedValues& reduced_;
  Worklist<PyObject*> todo_;
  PointerMap<bool> visited_;  // an address may be reused after Python code ran: then encoding finds what was missed
  Worklist<Pending> pending_;
};

}  // namespace

bool prepare(const ModuleState& state, PyObject* value, ReducedValues& reduced) noexcept {
  return Preparation(state, reduced).run(value);
}

}  // namespace xichan::python
