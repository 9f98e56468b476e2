// A key of a dict or set, as a cell.
#pragma once

#include "value/index.h"
#include "value/message.h"
#include "values/view.h"

namespace xichan::python {

/// Thread safety: one thread at a time, attached. The key must outlive it.
class KeyCell {
 public:
  KeyCell() noexcept = default;
  KeyCell(const KeyCell&) = delete;
  KeyCell& operator=(const KeyCell&) = delete;
  ~KeyCell() { release(owned_); }

  /// Encodes a key that compares by its content: None, a bool, int, float, str, bytes or Ellipsis, a tuple of these, or
  /// a view of one; subclasses are excluded. Returns false, with no exception set, for any other key, and if there is
  /// no memory for the cell. Runs no Python code.
  bool set(const ModuleState& state, PyObject* key) noexcept;

  BlockReader reader() const noexcept { return reader_; }
  const Cell& cell() const noexcept { return *cell_; }

 private:
  bool set_view(const ModuleState& state, PyObject* view) noexcept;

  Cell owned_ = Cell::none();
  BlockReader reader_;
  const Cell* cell_ = &owned_;
};

}  // namespace xichan::python
