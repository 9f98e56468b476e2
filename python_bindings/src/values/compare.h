// Comparison of values in blocks with one another and with Python objects, by Python's rules.
#pragma once

#include "base/content_map.h"
#include "base/worklist.h"
#include "values/interruption.h"
#include "values/view.h"

namespace xichan::python {

/// The elements of a TupleView or ListView, with a reference to their block: Python code that runs meanwhile may send
/// the view, which may move them (V2).
class HeldElements {
 public:
  explicit HeldElements(const View* view) noexcept;
  HeldElements(const HeldElements&) = delete;
  HeldElements& operator=(const HeldElements&) = delete;
  ~HeldElements();

  BlockReader reader() const noexcept { return slice_.reader(); }
  const Cell& operator[](Py_ssize_t i) const noexcept { return first_[i * step_]; }
  Py_ssize_t length() const noexcept { return static_cast<Py_ssize_t>(slice_.cell.length()); }

 private:
  const BlockSlice slice_;
  const Cell* const first_;
  const Py_ssize_t step_;
};

/// Compares for equality. A content that both sides show in many places is compared once, so the time is proportional
/// to the size of the values in memory. All functions return 1 for equal, 0 for not equal, and -1 with an exception
/// set.
///
/// Thread safety: one thread at a time, attached. Once a comparison is not 1, the object is used up.
class Comparison {
 public:
  explicit Comparison(ModuleState& state) noexcept : state_(state) {}
  Comparison(const Comparison&) = delete;
  Comparison& operator=(const Comparison&) = delete;
  ~Comparison();

  /// Each cell is valid in the body before it.
  int equal(BlockReader from, const Cell& cell, BlockReader other_from, const Cell& other) noexcept;
  int equal(BlockReader from, const Cell& cell, PyObject* object) noexcept;

 private:
  int equal_leaves(const CellRef& one, const CellRef& other) noexcept;
  int equal_inside(const CellRef& one, const CellRef& other) noexcept;
  int equal_sequences(const CellRef& one, const CellRef& other, std::size_t first) noexcept;
  int equal_dicts(const CellRef& one, const CellRef& other) noexcept;
  int equal_sets(const CellRef& one, const CellRef& other) noexcept;
  int equal_records(const CellRef& one, const CellRef& other) noexcept;
  int equal_shallow(const CellRef& one, const CellRef& other) noexcept;
  int equal_inside(const CellRef& one, PyObject* object) noexcept;
  int equal_sequence(const CellRef& one, PyObject* sequence) noexcept;
  int equal_dict(const CellRef& one, PyObject* dict) noexcept;
  int equal_decoded(const CellRef& one, PyObject* object) noexcept;
  // Compares what two contents, which may both occur again, consist of. The pair counts as equal meanwhile and later.
  // Raises RecursionError if both contain themselves.
  template <class Compare>
  int compare_once(const Content& one, const Content& other, Compare compare) noexcept;
  bool count_open(const Content& content, int change) noexcept;
  bool hold(Block* block) noexcept;

  ModuleState& state_;
  EqualContents equals_;
  ContentMap<int> open_;  // how often a content is being compared
  Interruption interruption_;
  Worklist<Block*, 4> held_;  // blocks of views among the objects
};

/// Compares elements with one object, each content once.
class Search {
 public:
  Search(ModuleState& state, PyObject* wanted) noexcept : state_(state), wanted_(wanted) {}

  int equals(BlockReader from, const Cell& cell) noexcept;

 private:
  ModuleState& state_;
  PyObject* const wanted_;
  ContentMap<int> results_;  // plus one
  Interruption interruption_;
};

}  // namespace xichan::python
