// Which str, bytes and int objects occur more than once in a message: their payload is stored once.
//
// Algorithm: the first walk lists the objects that something else refers to as well (no other can occur twice); then
// one set finds those listed twice. A list whose addresses rise holds nothing twice and needs no set, which is what
// objects made one after the other look like.
#pragma once

#include <Python.h>

#include "base/pointer_map.h"
#include "base/worklist.h"
#include "value/cell.h"

namespace xichan::python {

/// Thread safety: one thread at a time. Objects are borrowed.
class Repeats {
 public:
  /// Notes that `value`, which has a payload, occurs. False without memory.
  [[nodiscard]] bool note(PyObject* value) noexcept {
    rising_ &= value > last_;
    last_ = value;
    return noted_.push(value);
  }

  /// To be called after the walk: calls `repeated` for each object each time it was noted again. False without memory.
  template <class Repeated>
  [[nodiscard]] bool settle(Repeated repeated) noexcept {
    if (rising_) return true;
    PointerMap<bool> met;
    if (!met.reserve(noted_.size())) return false;
    for (PyObject* value : noted_) {
      bool* again = met.insert(value);
      if (again == nullptr) return false;
      if (*again) {
        if (first_cells_.insert(value) == nullptr) return false;
        repeated(value);
      }
      *again = true;
    }
    return true;
  }

  /// Whether there are any.
  bool any() const noexcept { return first_cells_.size() != 0; }
  /// Where to keep the cell in which `value` was written first; null if it occurs once.
  Cell** first_cell(PyObject* value) noexcept { return first_cells_.find(value); }

 private:
  Worklist<PyObject*> noted_;
  PyObject* last_ = nullptr;
  bool rising_ = true;
  PointerMap<Cell*> first_cells_;
};

}  // namespace xichan::python
