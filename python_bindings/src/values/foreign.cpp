#include "values/foreign.h"

#include <algorithm>

#include "base/worklist.h"

namespace xichan::python {
namespace {

constexpr std::uint64_t record_units = 32;  // functions in Python hash and compare it

std::uint64_t times(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t product;
  return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

std::uint64_t plus(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t sum;
  return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

std::uint64_t int_bytes(const CellRef& place) noexcept {
  return place.cell->tag() == Tag::big_int ? place.cell->length() : sizeof(std::int64_t);
}

}  // namespace

Extent Foreign::where_it_recurs(PyObject* object, const Extent& extent) noexcept {
  Extent found = extent;
  const bool is_text = object != nullptr && (PyUnicode_Check(object) || PyBytes_Check(object));
  if (!is_text) found.has_repeats = extent.size != 0;
  if (object == nullptr || extent.has_repeats || !(is_text || PyTuple_Check(object) || PyFrozenSet_Check(object))) {
    return found;
  }
  largest_again_ = std::max(largest_again_, compared_size(extent));
  found.size = 1;
  found.leaves_out = true;
  return found;
}

// Returns a bound of the units that comparing two values takes.
std::uint64_t Foreign::compared_size(const Extent& extent) const noexcept {
  const std::uint64_t size = plus(extent.size, 1);
  return extent.leaves_out ? times(size, plus(largest_again_, 1)) : size;
}

Extent Foreign::of_object(PyObject* object, const Extent& fields) noexcept {
  if (PyTuple_Check(object)) return fields;
  if (Py_TYPE(object)->tp_hash == PyBaseObject_Type.tp_hash) return {record_units, 1, false, false};
  return {plus(record_units, fields.size), 1, fields.has_repeats, fields.leaves_out};
}

Extent Foreign::of_view(const CellRef& record) const noexcept {
  return {plus(record_units, count_values(record)), 1, false, false};
}

// Returns the number of values in a record, each where it occurs, up to what the budget allows.
std::uint64_t Foreign::count_values(const CellRef& record) const noexcept {
  Worklist<CellRef> open;
  std::uint64_t count = 0;
  bool ok = open.push(record);
  while (ok && !open.empty() && count <= budget_) {
    const CellRef place = open.pop();
    ++count;
    if (!place.cell->has_elements()) continue;
    for (const Cell& cell : place.reader.elements(*place.cell)) {
      const CellRef inner = resolve(place.reader, cell);
      if (inner.cell->has_elements()) {
        ok = ok && open.push(inner);
      } else {
        ++count;
      }
    }
  }
  return ok ? count : UINT64_MAX;
}

bool Foreign::charge_key(const Cell* container, PyObject* key, const Extent& extent) noexcept {
  if (PyUnicode_CheckExact(key) || PyBytes_CheckExact(key)) return true;  // their hashes depend on a secret
  const Py_hash_t hash = PyObject_Hash(key);
  if (hash == -1) return false;
  std::uint64_t* const count = hashes_.insert({container, static_cast<std::uint64_t>(hash)});
  if (count == nullptr) return PyErr_NoMemory() != nullptr;
  return charge(plus(plus(extent.size, 1), times((*count)++, compared_size(extent))));
}

bool Foreign::charge_division(const CellRef& dividend, const CellRef& divisor) noexcept {
  constexpr std::uint64_t digit_pairs_per_unit = 16, bytes_per_digit = 4;
  const std::uint64_t digits = int_bytes(dividend) / bytes_per_digit, by = int_bytes(divisor) / bytes_per_digit;
  return charge(times(digits, by) / digit_pairs_per_unit);
}

bool Foreign::charge(std::uint64_t units) noexcept {
  since_check_ = plus(since_check_, units);
  if (units <= budget_) {
    budget_ -= units;
    return true;
  }
  PyErr_SetString(PyExc_ValueError,
                  "hashing and comparing its keys, or dividing its ints, takes too long for the size of the dump");
  return false;
}

}  // namespace xichan::python
