// Values that are encoded as the elements of a tuple: a range, an array, a standard type, an instance of a class.
#pragma once

#include "base/pointer_map.h"
#include "base/ref.h"
#include "base/state.h"
#include "base/worklist.h"
#include "value/cell.h"
#include "values/reduction.h"

namespace xichan::python {

/// What stands for a value in a message.
struct Reduced {
  PyObject* elements;  // a tuple: the parts of a range or array; or the type of a record, then its fields
  PyObject* refusal;   // or an exception: why the value cannot be sent
  Cell* first;         // where it is written, or null
  bool is_counted;
};

/// Owns references to the values and their elements, so that an address stays the value's own.
///
/// Thread safety: one thread at a time, attached.
class ReducedValues {
 public:
  ReducedValues() noexcept = default;
  ~ReducedValues() {
    for (PyObject* object : owned_) Py_DECREF(object);
  }

  bool empty() const noexcept { return owned_.empty(); }
  /// Returns null also for a value that is refused.
  Reduced* find(PyObject* value) noexcept {
    Reduced* const reduced = values_.find(value);
    return reduced != nullptr && reduced->elements != nullptr ? reduced : nullptr;
  }
  /// Returns the exception that was noted for a value, borrowed, or null.
  PyObject* refusal_of(PyObject* value) noexcept {
    const Reduced* reduced = values_.find(value);
    return reduced != nullptr ? reduced->refusal : nullptr;
  }

  /// Adds a value and its elements. Returns null without memory.
  Reduced* add(PyObject* value, Ref elements) noexcept {
    Reduced* const reduced = insert(value, elements);
    if (reduced != nullptr) reduced->elements = elements.release();
    return reduced;
  }
  /// Notes why a value cannot be sent: an exception. Returns false without memory.
  bool refuse(PyObject* value, Ref refusal) noexcept {
    Reduced* const reduced = insert(value, refusal);
    if (reduced != nullptr) reduced->refusal = refusal.release();
    return reduced != nullptr;
  }

  /// Forgets which values are counted and where they are written, for another walk.
  void restart() noexcept {
    for (std::size_t i = 0; i < owned_.size(); i += 2) {
      Reduced* const reduced = values_.find(owned_[i]);
      reduced->first = nullptr;
      reduced->is_counted = false;
    }
  }

 private:
  // Returns the zeroed entry of a new value, and owns both objects; the caller moves the second.
  Reduced* insert(PyObject* value, const Ref& other) noexcept {
    Reduced* const reduced = owned_.reserve(owned_.size() + 2) ? values_.insert(value) : nullptr;
    if (reduced == nullptr) return nullptr;
    (void)owned_.push(Py_NewRef(value));
    (void)owned_.push(other.get());
    return reduced;
  }

  PointerMap<Reduced> values_;
  Worklist<PyObject*, 8> owned_;  // each value, then its elements or refusal
};

/// Sets `elements` to what stands for a value that is not a container, text, number, view or endpoint. Runs no Python
/// code, and leaves no exception set. `is_first`: whether it is the first such value in the message. Once per class
/// that follows another, the class is looked up in its module.
Reduction reduce_natively(const ModuleState& state, PyObject* value, Ref& elements, bool is_first) noexcept;

}  // namespace xichan::python
