// Limits of decoding bytes from anywhere: which classes become objects, and how long keys may take.
//
// CPython finds a key among those of equal hash by comparing with each of them, and the hashes of ints, and of tuples
// of ints, are easy to choose. So n keys of one hash take n^2 comparisons; n ranges or Fractions of n digits take n^2
// steps as well. Each such operation is charged before it happens, in units of about 20 ns, against a budget that is
// proportional to the size of the dump.
//
// Thread safety: one thread at a time, attached to its interpreter.
#pragma once

#include "base/content_map.h"
#include "value/block_reader.h"
#include "values/extent.h"
#include "values/record_types.h"

namespace xichan::python {

class Foreign {
 public:
  Foreign(ClassList classes, const Block* root) noexcept
      : classes_(classes), budget_(smallest_budget + budget_per_cell * (root->body_bytes() / sizeof(Cell))) {}
  Foreign(const Foreign&) = delete;
  Foreign& operator=(const Foreign&) = delete;

  ClassList classes() const noexcept { return classes_; }

  /// Returns the extent of a value where it occurs again. It counts as one value if it keeps its hash, because CPython
  /// compares identical objects at once; but not if something inside occurs again, too.
  Extent where_it_recurs(PyObject* object, const Extent& extent) noexcept;
  /// Returns the extent of a text, bytes or int that may occur again.
  static Extent of_payload(const Cell& cell) noexcept { return {cell.length() / bytes_per_unit, 0, false, false}; }
  /// Returns the extent of the object made of a record: its class may hash and compare the fields.
  static Extent of_object(PyObject* object, const Extent& fields) noexcept;
  /// Returns the extent of the view of a record, which hashes and compares them.
  Extent of_view(const CellRef& record) const noexcept;

  /// Charges for hashing a key of a container and comparing it with those of the same hash. False with an exception
  /// set, which is ValueError if the budget is used up.
  bool charge_key(const Cell* container, PyObject* key, const Extent& extent) noexcept;
  /// Charges for a division of two ints, each in a cell.
  bool charge_division(const CellRef& dividend, const CellRef& divisor) noexcept;

  /// Returns true if so much was charged since the last time that signals should be handled.
  bool is_signal_check_due() noexcept {
    if (since_check_ < units_between_checks) return false;
    since_check_ = 0;
    return true;
  }

 private:
  static constexpr std::uint64_t smallest_budget = 1 << 24, budget_per_cell = 64;
  static constexpr std::uint64_t units_between_checks = 1 << 16;  // a millisecond
  static constexpr std::uint64_t bytes_per_unit = 64;

  bool charge(std::uint64_t units) noexcept;
  std::uint64_t compared_size(const Extent& extent) const noexcept;
  std::uint64_t count_values(const CellRef& record) const noexcept;

  const ClassList classes_;
  std::uint64_t budget_;
  std::uint64_t since_check_ = 0;
  std::uint64_t largest_again_ = 0;   // the most units that comparing something left out may take
  ContentMap<std::uint64_t> hashes_;  // how many keys of a container have a hash
};

}  // namespace xichan::python
