// Values that are encoded as the elements of a tuple: a range, a standard type, an instance of a class.
#pragma once

#include <Python.h>

#include "base/pointer_map.h"
#include "base/worklist.h"
#include "value/cell.h"

namespace xichan::python {

/// What stands for a value in a message.
struct Reduced {
  PyObject* elements;     // a tuple: the parts of a range; or the type of a record, then its fields
  internal::Cell* first;  // where it is written, or null
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

  /// Adds a value and its elements, whose reference is moved. Returns null without memory.
  Reduced* add(PyObject* value, PyObject* elements) noexcept {
    Reduced* const reduced = owned_.reserve(owned_.size() + 2) ? values_.insert(value) : nullptr;
    if (reduced == nullptr) {
      Py_DECREF(elements);
      return nullptr;
    }
    (void)owned_.push(Py_NewRef(value));
    (void)owned_.push(elements);
    reduced->elements = elements;
    return reduced;
  }

 private:
  internal::PointerMap<Reduced> values_;
  internal::Worklist<PyObject*, 8> owned_;
};

}  // namespace xichan::python
