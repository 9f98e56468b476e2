// Which str, bytes and int objects occur more than once in a message: their payload is stored once.
//
// Algorithm: the first walk lists the objects that something else refers to as well (no other can occur twice); then
// one set finds those listed twice. A list whose addresses rise holds nothing twice and needs no set, which is what
// objects made one after the other look like.
#pragma once

#include <Python.h>

#include <bit>
#include <cstdlib>

#include "base/pointer_map.h"
#include "base/worklist.h"
#include "value/cell.h"

namespace xichan::python {

/// Thread safety: one thread at a time. Objects are borrowed.
class DuplicateTracker {
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
    // Open addressing, at most half full, by Fibonacci hashing (Knuth, TAOCP vol. 3, 6.4): nobody chooses addresses.
    const int bits = std::bit_width(2 * noted_.size());
    const std::size_t mask = (std::size_t{1} << bits) - 1;
    auto* met = static_cast<PyObject**>(std::calloc(mask + 1, sizeof(PyObject*)));
    if (met == nullptr) return false;
    bool in_memory = true;
    for (PyObject* value : noted_) {
      std::size_t i = reinterpret_cast<std::uintptr_t>(value) * 0x9e3779b97f4a7c15u >> (64 - bits);
      while (met[i] != nullptr && met[i] != value) i = (i + 1) & mask;
      if (met[i] == nullptr) {
        met[i] = value;
      } else {
        in_memory &= first_cells_.insert(value) != nullptr;
        repeated(value);
      }
    }
    std::free(met);
    return in_memory;
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
