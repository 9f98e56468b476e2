// From a cell to a Python value.
#pragma once

#include "state.h"
#include "value/cell.h"

namespace xichan::python {

/// A new value equal to the one that was encoded, to the last bit. The cell keeps what it owns. Null with MemoryError
/// set (or ChannelClosed, for an end, while the interpreter shuts down). Runs no Python code.
PyObject* decode_any(ModuleState& state, const Cell& cell) noexcept;
inline PyObject* decode(ModuleState& state, const Cell& cell) noexcept {
  if (cell.tag() == Tag::integer) return PyLong_FromLongLong(cell.as_integer());  // the shortest way is for these
  return decode_any(state, cell);
}

}  // namespace xichan::python
