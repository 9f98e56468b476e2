// Decoding: makes the Python value that a cell describes.
#pragma once

#include "base/state.h"
#include "value/block_reader.h"

namespace xichan::python {

/// Returns a new value, equal to the encoded one to the last bit. The cell keeps what it owns. Without `copy`, a value
/// that `deserves_view` (view.h) is returned as a view. Null with MemoryError set, or with ChannelClosed set for an
/// endpoint while the interpreter shuts down. Runs no Python code.
PyObject* decode_any(ModuleState& state, const Cell& cell, bool copy) noexcept;
inline PyObject* decode(ModuleState& state, const Cell& cell, bool copy = true) noexcept {
  if (cell.tag() == Tag::integer) return PyLong_FromLongLong(cell.as_integer());  // fast path
  return decode_any(state, cell, copy);
}
/// Does the same for a cell in the body that `reader` reads.
PyObject* decode_at(ModuleState& state, BlockReader reader, const Cell& cell, bool copy) noexcept;

}  // namespace xichan::python
