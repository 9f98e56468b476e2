// Comparison of dicts, sets and records.
#include "base/ref.h"
#include "value/index.h"
#include "values/compare.h"
#include "values/decode.h"
#include "values/hashed_view.h"

namespace xichan::python {

int Comparison::equal_dicts(const CellRef& one, const CellRef& other) noexcept {
  const auto mine = one.reader.elements(*one.cell), theirs = other.reader.elements(*other.cell);
  int result = 1;
  for (std::uint64_t i = 0; i < one.cell->entries() && result == 1; ++i) {
    std::uint64_t entry;
    switch (find_entry(other.reader, *other.cell, one.reader, mine[2 * i], entry)) {
      case Lookup::found: result = equal(one.reader, mine[2 * i + 1], other.reader, theirs[2 * entry + 1]); break;
      case Lookup::missing: return 0;
      case Lookup::unknown: return equal_shallow(one, other);
    }
  }
  return result;
}

int Comparison::equal_sets(const CellRef& one, const CellRef& other) noexcept {
  const auto mine = one.reader.elements(*one.cell);
  for (std::uint64_t i = 0; i < one.cell->entries(); ++i) {
    std::uint64_t entry;
    const Lookup found = find_entry(other.reader, *other.cell, one.reader, mine[i], entry);
    if (found == Lookup::unknown) return equal_shallow(one, other);
    if (found == Lookup::missing || !interruption_.check(0)) return found == Lookup::missing ? 0 : -1;
  }
  return 1;
}

// Compares dicts or sets whose keys Python must compare.
int Comparison::equal_shallow(const CellRef& one, const CellRef& other) noexcept {
  const Ref mine(shallow_copy(state_, one));
  if (!mine) return -1;
  const Ref theirs(shallow_copy(state_, other));
  return theirs ? PyObject_RichCompareBool(mine.get(), theirs.get(), Py_EQ) : -1;
}

int Comparison::equal_records(const CellRef& one, const CellRef& other) noexcept {
  if (!NamedType(one).is_tuple() || !NamedType(other).is_tuple()) {
    const CellRef mine = record_type(one), theirs = record_type(other);
    const int same_type = equal(mine.reader, *mine.cell, theirs.reader, *theirs.cell);
    if (same_type != 1) return same_type;
  }
  return equal_sequences(one, other, 1);
}

int Comparison::equal_dict(const CellRef& one, PyObject* dict) noexcept {
  const auto mine = one.reader.elements(*one.cell);
  if (static_cast<std::uint64_t>(PyDict_Size(dict)) != one.cell->entries()) return 0;
  int result = 1;
  for (std::uint64_t i = 0; i < one.cell->entries() && result == 1; ++i) {
    const Ref key(decode_at(state_, one.reader, mine[2 * i], false));
    PyObject* found = nullptr;
    if (!key || (result = PyDict_GetItemRef(dict, key.get(), &found)) < 0) return -1;
    const Ref value(found);
    if (result == 1) result = equal(one.reader, mine[2 * i + 1], value.get());
  }
  return result;
}

}  // namespace xichan::python
