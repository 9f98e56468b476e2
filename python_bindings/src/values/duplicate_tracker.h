// Finds the str, bytes and int objects that occur more than once in a message, whose payload is stored once; and those
// that are lent.
//
// Algorithm: the measuring walk notes every object with more than one reference (no other can occur twice). Then a hash
// set finds the objects that were noted twice. If the noted addresses strictly rise, which is common for objects that
// were created one after another, no object was noted twice and the set is skipped.
#pragma once

#include <Python.h>

#include <bit>
#include <cstdlib>

#include "arena/lender.h"
#include "base/pointer_map.h"
#include "base/worklist.h"
#include "value/cell.h"

namespace xichan::python {

/// Thread safety: one thread at a time. Borrows the objects.
class DuplicateTracker {
 public:
  /// Notes one occurrence of `value`, which has a payload. False if there is no memory.
  [[nodiscard]] bool note(PyObject* value) noexcept {
    rising_ &= value > last_;
    last_ = value;
    return noted_.push(value);
  }

  /// Calls `repeated` for each occurrence of an object after its first. Called once, after all occurrences are noted.
  /// False if there is no memory.
  template <class Repeated>
  [[nodiscard]] bool for_each_repeat(Repeated repeated) noexcept {
    if (rising_) return true;
    // Open addressing, at most half full, by Fibonacci hashing (Knuth, TAOCP vol. 3, 6.4). Addresses are
    // not chosen by an attacker.
    const int bits = std::bit_width(2 * noted_.size());
    const std::size_t mask = (std::size_t{1} << bits) - 1;
    auto* seen = static_cast<PyObject**>(std::calloc(mask + 1, sizeof(PyObject*)));
    if (seen == nullptr) return false;
    bool in_memory = true;
    for (PyObject* value : noted_) {
      std::size_t i = reinterpret_cast<std::uintptr_t>(value) * 0x9e3779b97f4a7c15u >> (64 - bits);
      while (seen[i] != nullptr && seen[i] != value) i = (i + 1) & mask;
      if (seen[i] == nullptr) {
        seen[i] = value;
      } else {
        in_memory &= first_cells_.insert(value) != nullptr;
        repeated(value);
      }
    }
    std::free(seen);
    return in_memory;
  }

  /// The first occurrence of an object that occurs more than once, or may be lent.
  struct First {
    Cell* cell;  // which has its payload; null until it is written
    Loan* loan;  // if it is lent
  };
  /// Returns true if any object has such an entry.
  bool any() const noexcept { return first_cells_.size() != 0; }
  /// Returns the entry of `value`, or null.
  First* first(PyObject* value) noexcept { return first_cells_.find(value); }
  /// Makes an entry, and sets `is_new` if there was none. Returns null without memory.
  First* add_first(PyObject* value, bool& is_new) noexcept {
    const std::size_t before = first_cells_.size();
    First* const entry = first_cells_.insert(value);
    is_new = first_cells_.size() != before;
    return entry;
  }

 private:
  Worklist<PyObject*> noted_;
  PyObject* last_ = nullptr;
  bool rising_ = true;
  PointerMap<First> first_cells_;
};

}  // namespace xichan::python
