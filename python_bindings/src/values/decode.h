// From a cell to a Python value.
#pragma once

#include "base/state.h"
#include "value/block_reader.h"

namespace xichan::python {

/// A new value equal to the one that was encoded, to the last bit. The cell keeps what it owns. Null with MemoryError
/// set (or ChannelClosed, for an end, while the interpreter shuts down). Runs no Python code. Without `copy`, what
/// `deserves_view` (view.h) is a view instead, and the same goes for what is in it.
PyObject* decode_any(ModuleState& state, const Cell& cell, bool copy) noexcept;
inline PyObject* decode(ModuleState& state, const Cell& cell, bool copy = true) noexcept {
  if (cell.tag() == Tag::integer) return PyLong_FromLongLong(cell.as_integer());  // the shortest way is for these
  return decode_any(state, cell, copy);
}
/// The same for a cell in the body that `reader` reads.
PyObject* decode_at(ModuleState& state, BlockReader reader, const Cell& cell, bool copy) noexcept;

}  // namespace xichan::python
