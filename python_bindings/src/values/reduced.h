// Values that are encoded as the elements of a tuple: a range, a standard type, an instance of a class.
#pragma once

#include "base/pointer_map.h"
#include "base/ref.h"
#include "base/state.h"
#include "base/worklist.h"
#include "value/cell.h"

namespace xichan::python {

/// What stands for a value in a message.
struct Reduced {
  PyObject* elements;  // a tuple: the parts of a range; or the type of a record, then its fields
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

  Reduced* find(PyObject* value) noexcept { return values_.find(value); }

  /// Adds a value and its elements. Returns null without memory.
  Reduced* add(PyObject* value, Ref elements) noexcept {
    Reduced* const reduced = owned_.reserve(owned_.size() + 2) ? values_.insert(value) : nullptr;
    if (reduced == nullptr || reduced->elements != nullptr) return reduced;
    reduced->elements = elements.get();
    (void)owned_.push(Py_NewRef(value));
    (void)owned_.push(elements.release());
    return reduced;
  }

  /// Notes that a value cannot be sent, and why: an exception. Only the first is kept.
  void refuse(PyObject* value, Ref why) noexcept {
    if (refused_) return;
    refused_ = Ref(Py_NewRef(value));
    why_ = std::move(why);
  }
  /// Returns the exception that was noted for a value, borrowed, or null.
  PyObject* refusal_of(PyObject* value) const noexcept { return refused_.get() == value ? why_.get() : nullptr; }

  /// Forgets which values are counted and where they are written, for another walk.
  void restart() noexcept {
    for (std::size_t i = 0; i < owned_.size(); i += 2) {
      Reduced* const reduced = values_.find(owned_[i]);
      reduced->first = nullptr;
      reduced->is_counted = false;
    }
  }

 private:
  PointerMap<Reduced> values_;
  Worklist<PyObject*, 8> owned_;  // each value, then its elements
  Ref refused_;
  Ref why_;
};

/// What `reduce_natively` did.
enum class Reduction : std::uint8_t {
  done,
  unprepared,  // Python code must run first, see prepare.h
  refused,     // objects of this class cannot be sent
  no_memory,
};

/// Sets `elements` to what stands for a value that is not a container, text, number, view or endpoint. Runs no Python
/// code, and leaves no exception set.
Reduction reduce_natively(const ModuleState& state, PyObject* value, Ref& elements) noexcept;

}  // namespace xichan::python
